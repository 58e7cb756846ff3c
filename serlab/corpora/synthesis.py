"""A small source-filter speech synthesiser whose emotional cues can be turned one at a time.

A train of glottal pulses with jitter, shimmer, spectral tilt and aspiration noise (the source of Klatt &
Klatt 1990) goes through resonators that follow the formants of nonsense syllables (Klatt 1980). It models
nobody: nothing learnt on synthetic speech tells how well a model does on people.

References
----------
Klatt, D. H. (1980). Software for a cascade/parallel formant synthesizer. J. Acoust. Soc. Am. 67, 971-995.

Klatt, D. H. & Klatt, L. C. (1990). Analysis, synthesis, and perception of voice quality variations among
female and male talkers. J. Acoust. Soc. Am. 87, 820-857.
"""

from __future__ import annotations

import tomllib
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from functools import wraps
from pathlib import Path
from typing import NamedTuple

import numpy as np
from scipy import fft, signal

from serlab.errors import CorpusError

VERSION = 1
SAMPLE_RATE = 16_000
SPEAKERS = tuple(f"d{number:02d}" for number in range(1, 13))
# Phrases are separated by "|", syllables by a space; each is a consonant and a vowel, an accent before it.
SENTENCES = {"s1": "ma 'so ti | de 'lu na", "s2": "ki 'ba fu | no 'se mi"}
DATA_FILE = Path(__file__).with_suffix(".toml")

_DATA = tomllib.loads(DATA_FILE.read_text(encoding="utf-8"))
_VOWELS, _CONSONANTS = _DATA["vowels"], _DATA["consonants"]
_OVERSAMPLING = 2  # the pulses have corners, which would alias at 16 kHz
_HOP = 128  # samples between two updates of the formants: 8 ms
_FFT = 768  # long enough for the narrowest formant to ring out
_SECONDS_PER_SYLLABLE, _SECONDS_PER_PAUSE = 0.19, 0.16
_SILENCE = 0.09  # seconds before and after the utterance
_LEVEL = 0.04  # RMS of a neutral utterance while somebody speaks: -28 dB re full scale
_MIDDLE = np.array([500.0, 1500.0, 2500.0])  # Hz: the vowel of a uniform tube
UPPER = np.array([3500.0, 4500.0, 5500.0, 6500.0])
BANDWIDTHS = np.array([70.0, 90.0, 130.0, 200.0, 260.0, 350.0, 450.0])


@dataclass(frozen=True)
class Cues:
    """How an utterance is spoken, each cue as a positive ratio to the same speaker's neutral voice.

    Examples
    --------
    >>> round(Cues(f0=1.2).strengthened(2).f0, 2)
    1.44
    """

    f0: float = 1.0  #: Mean fundamental frequency.
    f0_range: float = 1.0  #: Size of declination, accents and final fall, in semitones.
    final: float = 1.0  #: Fundamental frequency at the end; above 1.3 the final fall turns into a rise.
    rate: float = 1.0  #: Syllables per second, pauses left out.
    pauses: float = 1.0  #: Length of the pause between phrases.
    loudness: float = 1.0  #: Root-mean-square amplitude; 2 is 6 dB more.
    tilt: float = 1.0  #: Loss towards high frequencies, in dB; below 1 bright and tense, above dull and lax.
    breathiness: float = 1.0  #: Aspiration noise, and the part of each cycle in which the glottis is open.
    jitter: float = 1.0  #: Irregularity of the pulses in time (jitter) and amplitude (shimmer).
    tremor: float = 1.0  #: Depth of a slow wavering of pitch and loudness, at about 6 Hz.
    attack: float = 1.0  #: Time that a vowel takes to reach its level; below 1 onsets are abrupt.
    accents: float = 1.0  #: Loudness of accented syllables against the others.
    articulation: float = 1.0  #: Size of the vowel space; below 1 vowels are slurred towards the middle.
    smile: float = 1.0  #: Frequency of the formants; spread lips shorten the vocal tract and raise them.

    def strengthened(self, power: float) -> Cues:
        """Return the cues raised to a power: above 1 exaggerated, below 1 weakened, 0 neutral."""
        return Cues(**{name: value**power for name, value in asdict(self).items()})

    def varied(self, amount: float, rng: np.random.Generator) -> Cues:
        """Return the cues as somebody else might use them; `amount` 1 is how far speakers differ."""
        ratios = {}
        for name, value in asdict(self).items():
            spread = _DATA["cues"][name][-1]
            ratios[name] = float(value * np.exp(amount * spread * rng.standard_normal()))
        return Cues(**ratios)


# What reviews agree on; the file of the data names them.
CUES = {
    emotion: Cues(**{name: ratios[number] for name, ratios in _DATA["cues"].items()})
    for number, emotion in enumerate(_DATA["emotions"])
}


@dataclass(frozen=True)
class Voice:
    """A synthetic speaker: a body, habits, a room, and a way of one's own to show each emotion."""

    speaker: str  #: Identifier, such as "d01".
    gender: str  #: "female" or "male": sets the usual pitch and vocal tract.
    f0: float  #: Mean fundamental frequency of neutral speech, Hz.
    tract: float  #: Formants against those of a 17 cm vocal tract; the shorter the tract, the higher.
    habits: Cues  #: The speaker's neutral voice against an average one.
    expressiveness: float  #: Power of the cues of an emotion; below 1 the speaker shows little.
    idiosyncrasy: float  #: How much the speaker's own way departs from the common one; 0 not at all.
    seed: int  #: Draws the own ways, and the colour of room and microphone.

    def express(self, emotion: str) -> Cues:
        """Return the cues by which this speaker shows an emotion of `CUES`, before takes vary them."""
        common = _cues_of(emotion)
        if emotion == "neutral":
            return common
        rng = np.random.default_rng([self.seed, list(CUES).index(emotion)])
        return common.strengthened(self.expressiveness).varied(self.idiosyncrasy, rng)


def _cues_of(emotion: str) -> Cues:
    if emotion not in CUES:
        raise CorpusError(f"The synthesiser does not know the emotion {emotion!r}; use one of {list(CUES)}.")
    return CUES[emotion]


def voice(speaker: str) -> Voice:
    """Return a synthetic speaker; odd numbers are male, even ones female.

    Parameters
    ----------
    speaker : str
        "d" and a number of two digits, such as "d01", else CorpusError. The corpus uses `SPEAKERS`.

    Examples
    --------
    >>> voice("d01").gender
    'male'
    """
    if not (len(speaker) == 3 and speaker[0] == "d" and speaker[1:].isdecimal()):
        raise CorpusError(f"Synthetic speakers are called d01, d02 and so on, not {speaker!r}.")
    number = int(speaker[1:])
    rng = np.random.default_rng([7, number])
    female = number % 2 == 0

    def spread(deviation: float) -> float:
        return float(np.exp(deviation * np.clip(rng.standard_normal(), -2, 2)))

    # The order of the draws is part of the corpus.
    f0 = (200.0 if female else 115.0) * spread(0.10)
    tract = (1.16 if female else 1.0) * spread(0.035)
    habits = {name: spread(deviation) for name, deviation in _DATA["habits"].items()}
    habits["breathiness"] *= 1.25 if female else 1.0
    expressiveness, idiosyncrasy = float(rng.uniform(0.6, 1.25)), float(rng.uniform(0.7, 1.3))
    gender = "female" if female else "male"
    return Voice(speaker, gender, f0, tract, Cues(**habits), expressiveness, idiosyncrasy, 1000 + number)


class Plan(NamedTuple):
    """What is spoken when: its length, pairs of second and value, bursts of noise, first and last second."""

    seconds: float
    amplitude: list[tuple[float, float]]
    formants: list[tuple[float, np.ndarray]]
    accents: list[tuple[float, float]]
    noises: list[tuple[float, float, dict]]
    speech: tuple[float, float]


def lay_out(sentence: str, cues: Cues, rng: np.random.Generator) -> Plan:
    """Lay out the syllables in time."""
    phrases = [phrase.split() for phrase in sentence.split("|")]
    now = _SILENCE
    amplitude, formants, accents, noises = [(0.0, 0.0), (now, 0.0)], [], [], []
    for phrase in phrases:
        for position, syllable in enumerate(phrase, start=1):
            accented, (letter, vowel) = syllable.startswith("'"), syllable.lstrip("'")
            consonant = _CONSONANTS[letter]
            voicing = consonant["voicing"]
            final = position == len(phrase) and phrase is phrases[-1]
            stretch = (1.2 if accented else 1.0) * (1.35 if final else 1.0)
            length = _SECONDS_PER_SYLLABLE * stretch / cues.rate * np.exp(0.06 * rng.standard_normal())
            onset, end = now + consonant["seconds"] / cues.rate**0.5, now + length
            level = (0.8 + 0.35 * cues.accents if accented else 0.8) * (0.8 if final else 1.0)
            level *= np.exp(0.06 * rng.standard_normal())
            attack = min(0.030 * cues.attack, 0.6 * (end - onset))
            amplitude += [(now + 0.008, voicing), (onset, voicing)]
            amplitude += [(onset + attack, level), (end - 0.012, 0.7 * level)]
            target = _MIDDLE + (np.array(_VOWELS[vowel]) - _MIDDLE) * cues.articulation
            target = target * np.exp(0.015 * rng.standard_normal(3))
            locus = np.array(consonant["formants"], float)
            formants += [(now + 0.01, locus), (onset, 0.5 * (locus + target))]
            formants += [(onset + 0.04, target), (end - 0.03, target)]
            if accented:
                accents.append((0.5 * (onset + end), np.exp(0.15 * rng.standard_normal())))
            if "noise" in consonant:
                noises.append((onset - 0.016 if "burst" in consonant else now, onset + 0.004, consonant))
            now = end
        amplitude.append((now + 0.02, 0.0))
        if phrase is not phrases[-1]:
            now += _SECONDS_PER_PAUSE * cues.pauses
            amplitude.append((now, 0.0))
    return Plan(now + 0.02 + _SILENCE, amplitude, formants, accents, noises, (_SILENCE, now))


def pitch_track(
    plan: Plan, times: np.ndarray, mean: float, cues: Cues, rng: np.random.Generator
) -> np.ndarray:
    """Return the fundamental frequency in Hz at each of the times, around a mean."""
    start, end = plan.speech
    place = np.clip((times - start) / (end - start), 0, 1)
    semitones = 1.5 - 3.0 * place  # declination
    for centre, height in plan.accents:
        semitones += 3.0 * height * np.exp(-0.5 * ((times - centre) / 0.07) ** 2)
    ending = np.clip((place - 0.72) / 0.28, 0, 1) ** 1.5
    semitones -= 2.5 * ending
    semitones *= cues.f0_range
    semitones += 12 * np.log2(cues.final) * ending
    drift = np.interp(place, np.linspace(0, 1, 6), rng.standard_normal(6))
    semitones += 0.3 * drift
    tremor_rate, phase = 5.8 * np.exp(0.08 * rng.standard_normal()), rng.uniform(0, 2 * np.pi)
    semitones += 0.12 * cues.tremor * np.sin(2 * np.pi * tremor_rate * times + phase)
    voiced = np.interp(times, *zip(*plan.amplitude, strict=True)) > 0.1
    semitones -= semitones[voiced].mean()
    return mean * 2 ** (semitones / 12)


def _glottal_source(f0: np.ndarray, length: int, cues: Cues, rng: np.random.Generator) -> np.ndarray:
    """Return the derivative of the glottal flow with aspiration noise; `f0` in Hz has one value per frame."""
    rate = SAMPLE_RATE * _OVERSAMPLING
    step = _HOP * _OVERSAMPLING
    cycle = np.concatenate([[0.0], np.cumsum(f0) * step / rate])  # cycles spoken at the start of each frame
    count = int(cycle[-1]) + 1
    closures = np.interp(np.arange(count + 1), cycle, np.arange(len(cycle)) * step)
    closures[-1] = len(f0) * step + 1.0  # the last cycle lies in the silence after the utterance
    # Each closure is moved by a part of its period, which is what jitter is.
    irregular = rng.standard_normal((2, count + 1))
    shift = np.clip(0.006 * cues.jitter * irregular[0], -0.2, 0.2) * np.gradient(closures)
    closures[1:-1] += shift[1:-1]
    within = np.interp(np.arange(length * _OVERSAMPLING), closures, np.arange(count + 1.0))
    number = within.astype(np.intp)
    within -= number
    loud = np.exp(0.03 * cues.jitter * irregular[1])[number]

    open_part = np.clip(0.62 * cues.breathiness**0.2, 0.4, 0.9)
    x = within / open_part
    loud[x >= 1] = 0.0  # closed
    pulse = loud * x * (2 - 3 * x)  # the corner at closure excites the tract
    x = x[::_OVERSAMPLING]
    flow = 6.75 * loud[::_OVERSAMPLING] * x**2 * (1 - x)  # peaks at 1

    # One pole that takes off so many dB at 3 kHz (Klatt & Klatt's TL).
    gain = 10 ** (-7.0 * cues.tilt / 20)
    b = 1 - gain**2 * np.cos(2 * np.pi * 3000 / rate)
    pole = (b - np.sqrt(b**2 - (1 - gain**2) ** 2)) / (1 - gain**2)
    pulse = signal.lfilter([1 - pole], [1, -pole], pulse)
    pulse = signal.resample_poly(pulse, 1, _OVERSAMPLING)
    noise = signal.lfilter([1, -0.7], [1], rng.standard_normal(length))
    return pulse + 0.012 * cues.breathiness * (0.4 + flow) * noise


def _vocal_tract(source: np.ndarray, formants: np.ndarray, bandwidths: np.ndarray) -> np.ndarray:
    """Filter by a cascade of resonators; `formants` (frames, resonators) holds their centres in Hz."""
    frames, resonators = formants.shape
    radius = np.exp(-np.pi * bandwidths / SAMPLE_RATE)
    a1 = -2 * radius * np.cos(2 * np.pi * formants / SAMPLE_RATE)
    a2 = np.broadcast_to(radius**2, a1.shape)
    cascade = np.zeros((frames, 2 * resonators + 1))
    cascade[:, 0] = 1.0
    for i in range(resonators):
        before = cascade.copy()
        cascade[:, 1:] += a1[:, i, None] * before[:, :-1]
        cascade[:, 2:] += a2[:, i, None] * before[:, :-2]
    gain = np.prod(1 + a1 + a2, axis=1, keepdims=True)  # so that 0 Hz passes unchanged

    # Each frame is filtered as a whole and overlaps its neighbours, so that the formants glide.
    padded = np.pad(source, (_HOP, frames * _HOP + _HOP - len(source)))
    pieces = np.lib.stride_tricks.sliding_window_view(padded, 2 * _HOP)[::_HOP][: frames + 1]
    pieces = (pieces * signal.windows.hann(2 * _HOP, sym=False)).astype(np.float32)
    nearest = np.minimum(np.arange(frames + 1), frames - 1)
    delays = np.arange(cascade.shape[1])[:, None] * np.arange(_FFT // 2 + 1)
    denominator = cascade @ np.exp(-2j * np.pi / _FFT * delays)
    response = gain.astype(np.complex64) / denominator.astype(np.complex64)
    filtered = fft.irfft(fft.rfft(pieces, _FFT) * response[nearest], _FFT)
    out = np.zeros(len(padded) + _FFT, np.float32)
    for part in range(0, _FFT, _HOP):
        late = filtered[:, part : part + _HOP].ravel()
        out[part : part + len(late)] += late
    return out[_HOP : _HOP + len(source)]


def _frication(plan: Plan, length: int, cues: Cues, tract: float, rng: np.random.Generator) -> np.ndarray:
    """Return the noise of fricatives and of the bursts of stops."""
    out = np.zeros(length)
    for start, end, consonant in plan.noises:
        first, count = int(start * SAMPLE_RATE), int((end - start) * SAMPLE_RATE)
        amplitude, centre, bandwidth = consonant["noise"]
        centre = min(centre * tract**0.5, 7000.0)
        radius = np.exp(-np.pi * bandwidth / SAMPLE_RATE)
        a = [1, -2 * radius * np.cos(2 * np.pi * centre / SAMPLE_RATE), radius**2]
        noise = signal.lfilter([1, 0, -1], a, rng.standard_normal(count))
        shape = np.linspace(1, 0, count) if "burst" in consonant else signal.windows.tukey(count, 0.6)
        out[first : first + count] += amplitude * cues.tilt**-0.3 * shape * noise / noise.std()
    return out


def _room(y: np.ndarray, seed: int) -> np.ndarray:
    """Add the colour of the speaker's room and microphone: some reverberation, two gentle bells, a slope."""
    colour = np.random.default_rng([seed, 99])
    seconds = colour.uniform(0.03, 0.12)
    t = np.arange(int(seconds * SAMPLE_RATE)) / SAMPLE_RATE
    echo = colour.standard_normal(len(t)) * np.exp(-5 * t / seconds)
    echo *= colour.uniform(0.05, 0.25) / np.linalg.norm(echo)
    echo[0] = 1.0
    y = signal.fftconvolve(y, echo)[: len(y)]
    for low, high in ((300, 1200), (1500, 5000)):
        gain, centre = 10 ** (colour.uniform(-5, 5) / 20), colour.uniform(low, high)
        b, a = signal.iirpeak(centre, 1.2, fs=SAMPLE_RATE)
        y = y + (gain - 1) * signal.lfilter(b, a, y)
    slope = colour.uniform(-0.25, 0.25)
    return signal.lfilter([1, slope], [1], y)


def synthesise(speaker: Voice, cues: Cues, sentence: str, seed: int | list[int]) -> np.ndarray:
    """Speak a sentence: float32 of shape (samples,) at `SAMPLE_RATE`, about 1 to 3 s, within -1 and 1.

    Parameters
    ----------
    speaker : Voice
    cues : Cues
        Ratios to the speaker's neutral voice. Taken as they are: see `Voice.express`.
    sentence : str
        A key of `SENTENCES`; CorpusError if it is none.
    seed : int or list of int
        Draws what differs between two takes: small changes of timing, pitch and level, and the noises.
    """
    if sentence not in SENTENCES:
        raise CorpusError(f"There is no sentence {sentence!r}; use one of {list(SENTENCES)}.")
    # One generator per purpose: turning one cue must not change the draws of another.
    timing, pitch, pulses, air, take = map(np.random.default_rng, np.random.SeedSequence(seed).spawn(5))
    f0, level, rate = np.exp(np.array([0.025, 0.10, 0.03]) * take.standard_normal(3))
    spoken = Cues(**{name: ratio * getattr(speaker.habits, name) for name, ratio in asdict(cues).items()})
    plan = lay_out(SENTENCES[sentence], replace(spoken, rate=spoken.rate * rate), timing)
    length = int(plan.seconds * SAMPLE_RATE)
    frames = np.arange(0, length, _HOP) / SAMPLE_RATE
    samples = np.arange(length) / SAMPLE_RATE
    f0_track = pitch_track(plan, frames, speaker.f0 * spoken.f0 * f0, spoken, pitch)
    source = _glottal_source(f0_track, length, spoken, pulses)
    amplitude = np.interp(samples, *zip(*plan.amplitude, strict=True))
    wavering = 1 + min(0.02 * spoken.tremor, 0.3) * np.sin(2 * np.pi * 6 * samples + take.uniform(0, 6))
    source *= amplitude * wavering

    when, what = zip(*plan.formants, strict=True)
    lower = np.stack([np.interp(frames, when, track) for track in np.array(what).T], axis=1)
    formants = np.hstack([lower, np.tile(UPPER, (len(frames), 1))])
    formants = np.clip(formants * speaker.tract * spoken.smile, 150, 7700)
    voiced = _vocal_tract(source, formants, BANDWIDTHS * speaker.tract)
    voiced /= np.sqrt(np.mean(voiced[amplitude > 0.3] ** 2))
    y = _room(voiced + 0.5 * _frication(plan, length, spoken, speaker.tract, air), speaker.seed)
    y = signal.sosfilt(signal.butter(2, 60, "highpass", fs=SAMPLE_RATE, output="sos"), y)
    y *= _LEVEL * spoken.loudness * level / np.sqrt(np.mean(y[amplitude > 0.1] ** 2))
    y += 2e-4 * air.standard_normal(length)  # the noise floor of a quiet recording, about -74 dB
    y *= min(1.0, 0.95 / np.abs(y).max())
    return y.astype(np.float32)


class Take(np.ndarray):
    """Samples with the function and arguments that made them; what is computed from them has none."""

    recipe: dict | None = None


def remember(make: Callable[..., np.ndarray]) -> Callable[..., Take]:
    """Let a function that makes sound from plain keywords say how, so that the book can do it again.

    Examples
    --------
    >>> remember(lambda *, samples: np.zeros(samples))(samples=9).recipe["samples"]
    9
    """

    @wraps(make)
    def made(**settings) -> Take:
        take = make(**settings).view(Take)
        take.recipe = {"function": f"{make.__module__}.{make.__name__}", **settings}
        return take

    return made


def synthesise_phrase(
    speaker: str = "d01", sentence: str = "s1", emotion: str = "neutral", seed: int = 0, **changes: float
) -> Take:
    """Speak one utterance with named cues changed, everything else as it was.

    Parameters
    ----------
    speaker, sentence : str
        Who speaks, and what: see `voice` and `SENTENCES`.
    emotion : str
        The cues to start from, a key of `CUES`.
    seed : int
        The take.
    **changes : float
        Fields of `Cues` to set, positive ratios to neutral; anything else is a CorpusError.

    Returns
    -------
    Take
        float32 of shape (samples,) at `SAMPLE_RATE`.

    Examples
    --------
    >>> len(synthesise_phrase(rate=0.7)) > len(synthesise_phrase())
    True
    """
    for name, value in changes.items():
        if name not in _DATA["cues"]:
            raise CorpusError(f"There is no cue {name!r}; the cues are {', '.join(_DATA['cues'])}.")
        if not value > 0:
            raise CorpusError(f"A cue is a ratio to neutral and must be positive, but {name} = {value}.")
    changes = {name: float(value) for name, value in changes.items()}
    take = synthesise(voice(speaker), replace(_cues_of(emotion), **changes), sentence, seed).view(Take)
    take.recipe = {"speaker": speaker, "sentence": sentence, "emotion": emotion, "seed": seed, **changes}
    return take
