"""Changes to a signal that leave the emotion in it: pitch, tempo, place, noise, level, room.

Functions take ``y``, a mono signal of shape (samples,), and its ``sample_rate`` in Hz; most return float32 of
the same shape. `serlab.errors.AudioError` is raised for a signal or a setting that cannot be.
"""

import io
import math

import librosa
import numpy as np
import soundfile
import soxr

from serlab import audio
from serlab.errors import AudioError
from serlab.features.spectral import hann_window
from serlab.sound_files import SILENT_PEAK

# Step from piece to piece when a signal is stretched: two periods of a low voice.
HOP_SECONDS = 0.02
# How far a piece may be moved to fit: half a period of the lowest voice, each way.
REACH_SECONDS = 0.008
# What the rough search for the best fit sees: the first formants, but a sixth of the samples.
COARSE_RATE = 4000
# Rates beyond these leave nothing of a voice.
RATES = (0.25, 4.0)
# Energy of the direct sound over that of all reflections in a room: how near the speaker stands.
DIRECT_DB = 6.0
# The band of a telephone line (ITU-T G.712), and the rate at which it is sampled.
TELEPHONE_BAND, TELEPHONE_RATE = (300, 3400), 8000
# Rates in Hz that Opus knows.
OPUS_RATES = (8000, 12000, 16000, 24000, 48000)
# libsndfile counts from 0, the best quality, to 1, the smallest file. This gives about 20 kbit/s, and keeps
# what lies above 4 kHz.
SMALL = 0.96


def pitch_shift(y: np.ndarray, semitones: float, sample_rate: int) -> np.ndarray:
    """Raise or lower the pitch by up to 24 semitones, keeping the duration; twelve are an octave.

    The signal is stretched (`time_stretch`), then resampled to its old length. Formants move with the
    pitch, so that the voice seems to come from a smaller or larger speaker. Pitch is a cue of emotion as
    well: shifts of more than the few semitones by which speakers differ teach a model to ignore it.

    Examples
    --------
    >>> y = np.sin(2 * np.pi * 220 * np.arange(16000) / 16000)
    >>> octave = pitch_shift(y, 12, 16000)
    >>> len(octave), int(np.abs(np.fft.rfft(octave)).argmax())
    (16000, 440)
    """
    y = audio.signal(y, "Augmentation")
    if not abs(semitones) <= 24:
        raise AudioError(f"The pitch cannot be shifted by {semitones} semitones: take -24 to 24.")
    if semitones == 0:
        return y
    ratio = 2 ** (semitones / 12)
    longer = time_stretch(y, 1 / ratio, sample_rate)
    return audio.fit_length(soxr.resample(longer, sample_rate * ratio, sample_rate, quality="HQ"), len(y))


def time_stretch(y: np.ndarray, rate: float, sample_rate: int) -> np.ndarray:
    """Speak faster or slower, at a `rate` from 0.25 to 4, keeping the pitch: round(samples / rate) samples.

    Overlapping pieces of 40 ms are laid closer together or further apart, each moved by up to 8 ms to where
    its waveform continues the piece before it (WSOLA: Verhelst & Roelands 1993, An overlap-add technique
    based on waveform similarity for high quality time-scale modification of speech, ICASSP, 554-557). That
    suits speech, and is much quicker than a phase vocoder.

    Examples
    --------
    >>> time_stretch(np.sin(np.arange(16000) * 0.1), 0.8, 16000).shape
    (20000,)
    """
    from serlab.augment.wsola import overlap_add

    y = audio.signal(y, "Augmentation")
    low, high = RATES
    if not low <= rate <= high:
        raise AudioError(f"A signal cannot be stretched at a rate of {rate}: take {low:g} to {high:g}.")
    hop, reach = round(HOP_SECONDS * sample_rate), round(REACH_SECONDS * sample_rate)
    step = max(sample_rate // COARSE_RATE, 1)
    length = max(round(len(y) / rate), 1)
    # Room for the search, before and after.
    margin = hop + reach + 2 * step
    samples = margin + max(len(y), math.ceil((length + hop) * rate)) + hop + margin
    x = np.pad(y, (margin, samples - margin - len(y)))
    return overlap_add(x, hann_window(2 * hop), margin, reach, step, rate, length)


def shift(y: np.ndarray, seconds: float, sample_rate: int) -> np.ndarray:
    """Move a signal in time, filling up with silence; what leaves at the other end is lost.

    `seconds` above 0 are later. Something of the signal must be left.

    Examples
    --------
    >>> shift(np.array([1.0, 2.0, 3.0]), 0.5, 2)
    array([0., 1., 2.], dtype=float32)
    """
    y = audio.signal(y, "Augmentation")
    if not abs(seconds) * sample_rate < len(y) - 0.5:
        raise AudioError(f"A shift by {seconds} s leaves nothing of {len(y) / sample_rate:.3g} s: take less.")
    samples = round(seconds * sample_rate)
    kept = y[max(-samples, 0) : len(y) - max(samples, 0)]
    return np.pad(kept, (max(samples, 0), max(-samples, 0)))


def add_noise(y: np.ndarray, snr: float, rng: np.random.Generator, colour: str = "white") -> np.ndarray:
    """Add noise at a signal-to-noise ratio in dB: at 30 it is faint, at 0 as loud as the voice.

    The ratio is that of the whole signal's power, pauses included; a silent one has none. `colour` is
    "white", the same power in every hertz, or "pink", the same in every octave, as in rooms and streets.
    """
    y = audio.signal(y, "Augmentation")
    if not abs(snr) <= 200:
        raise AudioError(f"A signal-to-noise ratio is a number of decibels from -200 to 200, not {snr}.")
    if colour not in ("white", "pink"):
        raise ValueError(f"colour must be 'white' or 'pink', not {colour!r}")
    power = np.mean(np.square(y, dtype=np.float64))
    if power < SILENT_PEAK**2 / 2:
        raise AudioError("A silent signal has no signal-to-noise ratio. Leave it out, or add no noise to it.")
    noise = rng.standard_normal(len(y))
    if colour == "pink":
        spectrum = np.fft.rfft(noise)
        spectrum[1:] /= np.sqrt(np.arange(1, len(spectrum)))
        spectrum[0] = 0
        noise = np.fft.irfft(spectrum, len(y))
    noise *= math.sqrt(power / np.mean(noise**2)) * 10 ** (-snr / 20)
    return (y + noise).astype(np.float32)


def gain(y: np.ndarray, db: float) -> np.ndarray:
    """Make a signal louder or softer, by decibels; nothing is clipped."""
    y = audio.signal(y, "Augmentation")
    if not abs(db) <= 200:
        raise AudioError(f"A gain is a number of decibels from -200 to 200, not {db}.")
    return y * np.float32(10 ** (db / 20))


def room_response(rt60: float, sample_rate: int, rng: np.random.Generator) -> np.ndarray:
    """Synthesise the impulse response of a room: the direct sound, then random reflections that die away.

    Few reflections arrive at first, and ever more of them later (as the square of time, up to 50 ms); their
    amplitude falls exponentially (Moorer 1979, About this reverberation business, Computer Music Journal
    3(2), 13-28). `rt60` is the reverberation time, from 0.05 to 10 s, in which the sound decays by 60 dB: 0.2
    to 0.3 in a studio, 0.4 to 0.6 in a living room, 2 in a church. So long, too, is the response.

    Examples
    --------
    >>> h = room_response(0.3, 16000, np.random.default_rng(0))
    >>> h.shape, float(h[0]), round(float(10 * np.log10(1 / np.sum(h[1:] ** 2))), 2)
    ((4800,), 1.0, 6.0)
    """
    if not 0.05 <= rt60 <= 10:
        raise AudioError(f"A reverberation time of {rt60} s is out of range: take 0.05 to 10 s.")
    seconds = np.arange(round(rt60 * sample_rate)) / sample_rate
    response = rng.standard_normal(len(seconds)) * 10 ** (-3 * seconds / rt60)
    response *= rng.random(len(seconds)) < (seconds / 0.05) ** 2
    response *= 10 ** (-DIRECT_DB / 20) / math.sqrt(np.sum(response**2))
    response[0] = 1
    return response.astype(np.float32)


def room(y: np.ndarray, rt60: float, sample_rate: int, rng: np.random.Generator) -> np.ndarray:
    """Put a voice into a room of its own, synthesised by `room_response`; duration and level stay."""
    from scipy.signal import oaconvolve

    y = audio.signal(y, "Augmentation")
    wet = oaconvolve(y, room_response(rt60, sample_rate, rng))[: len(y)]
    before, after = (np.sqrt(np.mean(np.square(part, dtype=np.float64))) for part in (y, wet))
    return (wet * (before / after if after > 0 else 1.0)).astype(np.float32)


def telephone(y: np.ndarray, sample_rate: int) -> np.ndarray:
    """Send a signal over a telephone line: 300 to 3,400 Hz, sampled at 8 kHz, eight bits by the mu-law.

    The steps of the mu-law are finer for soft sounds (ITU-T G.711); full scale is the loudest sample, as if
    the line were well adjusted. Takes and returns (samples,), `sample_rate` in Hz.

    Examples
    --------
    >>> seconds = np.arange(16000) / 16000
    >>> heard = telephone(sum(np.sin(2 * np.pi * hertz * seconds) for hertz in (100, 1000)), 16000)
    >>> low, middle = np.abs(np.fft.rfft(heard))[[100, 1000]]
    >>> bool(middle > 100 * low)
    True
    """
    from scipy.signal import butter, sosfilt

    y = audio.signal(y, "Augmentation")
    if not sample_rate > 2 * TELEPHONE_BAND[1]:
        raise AudioError(
            f"A telephone line needs sound at more than 6800 Hz, not {sample_rate}. Resample it."
        )
    sections = butter(6, TELEPHONE_BAND, "bandpass", fs=sample_rate, output="sos")
    line = audio.resample(sosfilt(sections, y).astype(np.float32), sample_rate, TELEPHONE_RATE)
    full_scale = max(float(np.abs(line).max()), SILENT_PEAK)
    coded = librosa.mu_compress(np.clip(line / full_scale, -1, 1), mu=255, quantize=True)
    heard = librosa.mu_expand(coded, mu=255, quantize=True) * full_scale
    return audio.fit_length(audio.resample(heard.astype(np.float32), TELEPHONE_RATE, sample_rate), len(y))


def voice_message(y: np.ndarray, sample_rate: int) -> np.ndarray:
    """Encode and decode a signal with Opus at about 20 kbit/s, as messengers do with voice messages.

    Takes and returns (samples,); `sample_rate` is 8, 12, 16, 24 or 48 kHz, as Opus has it.

    Examples
    --------
    >>> voice_message(np.sin(np.arange(16000) * 0.1), 16000).shape
    (16000,)
    """
    y = audio.signal(y, "Augmentation")
    if sample_rate not in OPUS_RATES:
        raise AudioError(f"Opus takes sound at {OPUS_RATES} Hz, not {sample_rate}. Resample it.")
    file = io.BytesIO()
    soundfile.write(file, y, sample_rate, format="OGG", subtype="OPUS", compression_level=SMALL)
    file.seek(0)
    return audio.fit_length(soundfile.read(file, dtype="float32")[0], len(y))
