"""A small source-filter speech synthesiser whose emotional cues can be turned one at a time.

The voice is a train of glottal pulses with jitter, shimmer, spectral tilt and aspiration noise (the source of
Klatt & Klatt 1990), sent through a cascade of resonators that follow the formants of a few syllables (Klatt
1980). It speaks nonsense, so that nothing but the voice can carry the emotion.

It is a bench and a stand-in, not a model of anybody: what `CUES` says about an emotion is a summary of what
has been measured on actors, and nothing learnt on synthetic speech tells how well a model does on people.

References
----------
Klatt, D. H. (1980). Software for a cascade/parallel formant synthesizer. J. Acoust. Soc. Am. 67, 971-995.

Klatt, D. H. & Klatt, L. C. (1990). Analysis, synthesis, and perception of voice quality variations among
female and male talkers. J. Acoust. Soc. Am. 87, 820-857.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields, replace

import numpy as np
from scipy import fft, signal

from serlab.errors import CorpusError

VERSION = 1
SAMPLE_RATE = 16_000
SPEAKERS = tuple(f"d{number:02d}" for number in range(1, 13))

_OVERSAMPLING = 2  # the pulses have corners, which would alias at 16 kHz
_HOP = 128  # samples between two updates of the formants: 8 ms
_FFT = 768  # long enough for the narrowest formant to ring out
_SECONDS_PER_SYLLABLE = 0.19
_SECONDS_PER_PAUSE = 0.16
_SILENCE = 0.09  # seconds before and after the utterance
_LEVEL = 0.04  # RMS of a neutral utterance while somebody speaks: -28 dB re full scale


@dataclass(frozen=True)
class Cues:
    """How an utterance is spoken, each cue as a ratio to the same speaker's neutral voice.

    All cues are positive and 1 means "as in neutral", so a cue is made stronger by a power and two sets of
    cues combine by multiplication.

    Parameters
    ----------
    f0 : float
        Mean fundamental frequency; 1.5 is a fifth and a half above neutral.
    f0_range : float
        Size of declination, accents and final fall, in semitones.
    final : float
        Fundamental frequency at the end of the utterance; above 1.3 the fall turns into a rise.
    rate : float
        Syllables per second, pauses left out.
    pauses : float
        Length of the pause between phrases.
    loudness : float
        Root-mean-square amplitude; 2 is 6 dB more.
    tilt : float
        Loss of the voice source towards high frequencies, in dB; below 1 the voice is bright and tense, above
        1 it is dull and lax.
    breathiness : float
        Aspiration noise, and with it the part of each cycle in which the glottis is open.
    jitter : float
        Irregularity of the pulses in time (jitter) and amplitude (shimmer).
    tremor : float
        Depth of a slow wavering of pitch and loudness, at about 6 Hz.
    attack : float
        Time that a vowel takes to reach its level; below 1 onsets are abrupt.
    accents : float
        Loudness of accented syllables against the others.
    articulation : float
        Size of the vowel space; below 1 vowels are slurred towards the middle.
    smile : float
        Frequency of the formants; spread lips shorten the vocal tract and raise them.

    Examples
    --------
    >>> CUES["neutral"] == Cues()
    True
    >>> round(Cues(f0=1.2).strengthened(2).f0, 2)
    1.44
    """

    f0: float = 1.0
    f0_range: float = 1.0
    final: float = 1.0
    rate: float = 1.0
    pauses: float = 1.0
    loudness: float = 1.0
    tilt: float = 1.0
    breathiness: float = 1.0
    jitter: float = 1.0
    tremor: float = 1.0
    attack: float = 1.0
    accents: float = 1.0
    articulation: float = 1.0
    smile: float = 1.0

    def strengthened(self, power: float) -> Cues:
        """Return the cues raised to a power: above 1 exaggerated, below 1 weakened, 0 neutral."""
        return Cues(**{name: value**power for name, value in asdict(self).items()})

    def varied(self, amount: float, rng: np.random.Generator) -> Cues:
        """Return the cues as somebody else might use them; `amount` 1 is how far speakers differ."""
        spread = asdict(_SPREAD)
        return Cues(
            **{
                name: float(value * np.exp(amount * spread[name] * rng.standard_normal()))
                for name, value in asdict(self).items()
            }
        )


# What the reviews agree on, as ratios to neutral. Directions come from the sources, sizes are ours: they make
# the emotions about as hard to tell apart as in acted corpora.
#   Scherer (2003), Vocal communication of emotion, Speech Communication 40, 227-256: table of effects on
#     intensity, F0 mean, range and contour, high-frequency energy, rate.
#   Juslin & Laukka (2003), Communication of emotions in vocal expression and music performance, Psychological
#     Bulletin 129, 770-814: the same for 104 studies, and voice onsets, pauses, micro-irregularity; their
#     "tenderness" stands for calm.
#   Banse & Scherer (1996), Acoustic profiles in vocal emotion expression, J. Pers. Soc. Psych. 70, 614-636:
#     the same emotion at different arousal; disgust, on which studies agree least.
#   Tartter (1980), Happy talk, Perception & Psychophysics 27, 24-27: a smile raises the formants.
# The reviews say little about surprise: its wide, final rise is the common description.
# fmt: off
CUES: dict[str, Cues] = {
    "neutral": Cues(),
    "calm": Cues(
        f0=0.94, f0_range=0.80, final=0.96, rate=0.88, pauses=1.25, loudness=0.75, tilt=1.25, breathiness=1.4,
        jitter=0.8, tremor=0.8, attack=1.4, accents=0.85, articulation=0.95, smile=1.01,
    ),
    "happy": Cues(
        f0=1.32, f0_range=1.60, final=1.12, rate=1.08, pauses=0.75, loudness=1.45, tilt=0.80, breathiness=0.9,
        jitter=0.7, tremor=1.0, attack=0.7, accents=1.15, articulation=1.10, smile=1.06,
    ),
    "sad": Cues(
        f0=0.95, f0_range=0.55, final=0.90, rate=0.78, pauses=1.80, loudness=0.60, tilt=1.45, breathiness=1.8,
        jitter=1.5, tremor=2.0, attack=1.8, accents=0.70, articulation=0.80, smile=0.98,
    ),
    "angry": Cues(
        f0=1.28, f0_range=1.45, final=0.88, rate=1.14, pauses=0.70, loudness=2.10, tilt=0.50, breathiness=0.5,
        jitter=1.8, tremor=1.0, attack=0.45, accents=1.40, articulation=1.15, smile=1.00,
    ),
    "fearful": Cues(
        f0=1.45, f0_range=0.75, final=1.08, rate=1.20, pauses=1.10, loudness=0.95, tilt=0.95, breathiness=1.5,
        jitter=2.2, tremor=5.0, attack=0.8, accents=0.90, articulation=0.90, smile=1.00,
    ),
    "disgust": Cues(
        f0=0.92, f0_range=0.95, final=0.86, rate=0.84, pauses=1.25, loudness=1.10, tilt=0.85, breathiness=1.1,
        jitter=2.5, tremor=1.2, attack=1.1, accents=1.25, articulation=1.05, smile=0.95,
    ),
    "surprised": Cues(
        f0=1.42, f0_range=1.80, final=1.60, rate=1.00, pauses=1.10, loudness=1.30, tilt=0.85, breathiness=1.2,
        jitter=1.0, tremor=1.0, attack=0.75, accents=1.20, articulation=1.10, smile=1.01,
    ),
}
# fmt: on

# How far, as a standard deviation of the logarithm, speakers differ in how they use each cue for an emotion.
_SPREAD = Cues(
    f0=0.10,
    f0_range=0.28,
    final=0.10,
    rate=0.10,
    pauses=0.35,
    loudness=0.32,
    tilt=0.28,
    breathiness=0.35,
    jitter=0.40,
    tremor=0.50,
    attack=0.35,
    accents=0.15,
    articulation=0.09,
    smile=0.025,
)


@dataclass(frozen=True)
class Voice:
    """A synthetic speaker: a body, habits, a room, and a way of one's own to show each emotion.

    Parameters
    ----------
    speaker : str
        Identifier, such as "d01".
    gender : str
        "female" or "male": sets the usual pitch and vocal tract.
    f0 : float
        Mean fundamental frequency of neutral speech, Hz.
    tract : float
        Formant frequencies against those of a 17 cm vocal tract; the shorter the tract, the higher.
    habits : Cues
        The speaker's neutral voice against an average one: rate, loudness, tilt, breathiness and so on.
    expressiveness : float
        Power to which the cues of an emotion are raised; below 1 the speaker shows little.
    idiosyncrasy : float
        How much the speaker's own way departs from the common one; 0 not at all.
    seed : int
        Draws the own ways, and the colour of room and microphone.

    Examples
    --------
    >>> speaker = voice("d02")
    >>> speaker.gender, 140 < speaker.f0 < 280
    ('female', True)
    >>> speaker.express("neutral") == Cues()
    True
    """

    speaker: str
    gender: str
    f0: float
    tract: float
    habits: Cues
    expressiveness: float
    idiosyncrasy: float
    seed: int

    def express(self, emotion: str) -> Cues:
        """Return the cues by which this speaker shows an emotion, before any variation between takes.

        Raises
        ------
        CorpusError
            If the emotion is not in `CUES`.
        """
        if emotion not in CUES:
            raise CorpusError(
                f"The synthesiser does not know the emotion {emotion!r}; use one of {list(CUES)}."
            )
        if emotion == "neutral":
            return CUES["neutral"]
        rng = np.random.default_rng([self.seed, list(CUES).index(emotion)])
        return CUES[emotion].strengthened(self.expressiveness).varied(self.idiosyncrasy, rng)


def voice(speaker: str) -> Voice:
    """Return a synthetic speaker; the same one for the same name, odd numbers male and even ones female.

    Parameters
    ----------
    speaker : str
        "d" and a number of two digits, such as "d01". The corpus uses `SPEAKERS`.

    Raises
    ------
    CorpusError
        If the name is not of that form.

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

    return Voice(
        speaker=speaker,
        gender="female" if female else "male",
        f0=(200.0 if female else 115.0) * spread(0.10),
        tract=(1.16 if female else 1.0) * spread(0.035),
        habits=Cues(
            f0_range=spread(0.20),
            rate=spread(0.10),
            loudness=spread(0.35),
            tilt=spread(0.25),
            breathiness=spread(0.35) * (1.25 if female else 1.0),
            jitter=spread(0.30),
            articulation=spread(0.06),
        ),
        expressiveness=float(rng.uniform(0.6, 1.25)),
        idiosyncrasy=float(rng.uniform(0.7, 1.3)),
        seed=1000 + number,
    )


# Phrases are separated by "|", syllables by a space; each is a consonant and a vowel, an accent before it.
SENTENCES: dict[str, str] = {
    "s1": "ma 'so ti | de 'lu na",
    "s2": "ki 'ba fu | no 'se mi",
}

# First three formants in Hz for a male vocal tract (Peterson & Barney 1952, rounded).
_VOWELS = {
    "a": (730, 1150, 2440),
    "e": (500, 1850, 2500),
    "i": (280, 2250, 2950),
    "o": (520, 900, 2400),
    "u": (310, 870, 2250),
}
_MIDDLE = np.array([500.0, 1500.0, 2500.0])  # the vowel of a uniform tube
_UPPER = np.array([3500.0, 4500.0, 5500.0, 6500.0])
_BANDWIDTHS = np.array([70.0, 90.0, 130.0, 200.0, 260.0, 350.0, 450.0])


@dataclass(frozen=True)
class _Consonant:
    """Seconds, amplitude of the voice during it, noise (amplitude, centre and bandwidth in Hz), formants."""

    seconds: float
    voicing: float
    noise: float
    centre: float
    bandwidth: float
    formants: tuple[float, float, float]
    burst: bool = False  # the noise is a short burst at the end


_CONSONANTS = {
    "m": _Consonant(0.065, 0.35, 0.0, 0, 0, (250, 1000, 2200)),
    "n": _Consonant(0.065, 0.35, 0.0, 0, 0, (250, 1600, 2500)),
    "l": _Consonant(0.055, 0.50, 0.0, 0, 0, (350, 1200, 2700)),
    "s": _Consonant(0.090, 0.0, 0.35, 5800, 1800, (300, 1700, 2600)),
    "f": _Consonant(0.085, 0.0, 0.16, 4500, 5000, (300, 1100, 2300)),
    "t": _Consonant(0.075, 0.0, 0.30, 4300, 2000, (300, 1700, 2600), burst=True),
    "k": _Consonant(0.080, 0.0, 0.30, 2200, 900, (300, 2000, 2400), burst=True),
    "b": _Consonant(0.065, 0.15, 0.20, 900, 900, (220, 900, 2200), burst=True),
    "d": _Consonant(0.060, 0.15, 0.20, 3800, 1800, (220, 1700, 2600), burst=True),
}


@dataclass
class _Plan:
    """What is spoken when: break points of the tracks, in seconds, and the bursts of noise."""

    seconds: float
    amplitude: list[tuple[float, float]]
    formants: list[tuple[float, np.ndarray]]
    accents: list[tuple[float, float]]
    noises: list[tuple[float, float, _Consonant]]
    speech: tuple[float, float]


def _plan(sentence: str, cues: Cues, rng: np.random.Generator) -> _Plan:
    """Lay out the syllables in time."""
    phrases = [phrase.split() for phrase in sentence.split("|")]
    now = _SILENCE
    amplitude, formants, accents, noises = [(0.0, 0.0), (now, 0.0)], [], [], []
    for last_phrase, phrase in zip([False] * (len(phrases) - 1) + [True], phrases, strict=True):
        for position, syllable in enumerate(phrase):
            accented, (letter, vowel) = syllable.startswith("'"), syllable.lstrip("'")
            consonant = _CONSONANTS[letter]
            final = position == len(phrase) - 1
            stretch = (1.2 if accented else 1.0) * (1.35 if final and last_phrase else 1.0)
            length = _SECONDS_PER_SYLLABLE * stretch / cues.rate * np.exp(0.06 * rng.standard_normal())
            onset = now + consonant.seconds / cues.rate**0.5
            end = now + length
            level = (0.8 + 0.35 * cues.accents if accented else 0.8) * (0.8 if final and last_phrase else 1.0)
            level *= np.exp(0.06 * rng.standard_normal())
            attack = min(0.030 * cues.attack, 0.6 * (end - onset))
            amplitude += [(now + 0.008, consonant.voicing), (onset, consonant.voicing)]
            amplitude += [(onset + attack, level), (end - 0.012, 0.7 * level)]
            target = _MIDDLE + (np.array(_VOWELS[vowel]) - _MIDDLE) * cues.articulation
            target = target * np.exp(0.015 * rng.standard_normal(3))
            locus = np.array(consonant.formants, float)
            formants += [(now + 0.01, locus), (onset, 0.5 * (locus + target)), (onset + 0.04, target)]
            formants += [(end - 0.03, target)]
            if accented:
                accents.append((0.5 * (onset + end), np.exp(0.15 * rng.standard_normal())))
            if consonant.noise:
                start = onset - 0.016 if consonant.burst else now
                noises.append((start, onset + 0.004, consonant))
            now = end
        amplitude += [(now + 0.02, 0.0)]
        if not last_phrase:
            now += _SECONDS_PER_PAUSE * cues.pauses
            amplitude += [(now, 0.0)]
    return _Plan(now + 0.02 + _SILENCE, amplitude, formants, accents, noises, (_SILENCE, now))


def pitch_track(
    plan: _Plan, times: np.ndarray, mean: float, cues: Cues, rng: np.random.Generator
) -> np.ndarray:
    """Return the fundamental frequency in Hz at each of the times, with the mean asked for."""
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
    """Return the derivative of the glottal flow with its aspiration noise, `length` samples.

    `f0` in Hz holds one value per frame of `_HOP` samples.
    """
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
    """Filter by a cascade of resonators; `formants` (frames, resonators) holds their centres in Hz.

    Each frame is a window of two hops that is filtered as a whole and added to its neighbours, so that the
    formants glide from one frame to the next.
    """
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

    padded = np.pad(source, (_HOP, frames * _HOP + _HOP - len(source)))
    pieces = np.lib.stride_tricks.sliding_window_view(padded, 2 * _HOP)[::_HOP][: frames + 1]
    pieces = (pieces * signal.windows.hann(2 * _HOP, sym=False)).astype(np.float32)
    nearest = np.minimum(np.arange(frames + 1), frames - 1)
    delays = np.arange(cascade.shape[1])[:, None] * np.arange(_FFT // 2 + 1)
    response = gain.astype(np.complex64) / (cascade @ np.exp(-2j * np.pi / _FFT * delays)).astype(
        np.complex64
    )
    filtered = fft.irfft(fft.rfft(pieces, _FFT) * response[nearest], _FFT)
    out = np.zeros(len(padded) + _FFT, np.float32)
    for part in range(0, _FFT, _HOP):
        late = filtered[:, part : part + _HOP].ravel()
        out[part : part + len(late)] += late
    return out[_HOP : _HOP + len(source)]


def _frication(plan: _Plan, length: int, cues: Cues, tract: float, rng: np.random.Generator) -> np.ndarray:
    """Return the noise of fricatives and of the bursts of stops."""
    out = np.zeros(length)
    for start, end, consonant in plan.noises:
        first, count = int(start * SAMPLE_RATE), int((end - start) * SAMPLE_RATE)
        centre = min(consonant.centre * tract**0.5, 7000.0)
        radius = np.exp(-np.pi * consonant.bandwidth / SAMPLE_RATE)
        a = [1, -2 * radius * np.cos(2 * np.pi * centre / SAMPLE_RATE), radius**2]
        noise = signal.lfilter([1, 0, -1], a, rng.standard_normal(count))
        shape = np.linspace(1, 0, count) if consonant.burst else signal.windows.tukey(count, 0.6)
        out[first : first + count] += consonant.noise * cues.tilt**-0.3 * shape * noise / noise.std()
    return out


def _room(y: np.ndarray, seed: int, rng: np.random.Generator) -> np.ndarray:
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
    """Speak a sentence.

    Parameters
    ----------
    speaker : Voice
        Who speaks.
    cues : Cues
        How, as ratios to the speaker's neutral voice. Taken as they are: see `Voice.express`.
    sentence : str
        A key of `SENTENCES`.
    seed : int or list of int
        Draws what differs between two takes: small changes of timing, pitch and level, and the noises.

    Returns
    -------
    np.ndarray
        float32 of shape (samples,) at `SAMPLE_RATE`, about 1 to 3 s, within -1 and 1.

    Raises
    ------
    CorpusError
        If there is no such sentence.

    References
    ----------
    Klatt (1980); Klatt & Klatt (1990): see the module.

    Examples
    --------
    >>> y = synthesise(voice("d01"), CUES["angry"], "s1", seed=0)
    >>> y.dtype, bool(abs(y).max() < 1)
    (dtype('float32'), True)
    """
    if sentence not in SENTENCES:
        raise CorpusError(f"There is no sentence {sentence!r}; use one of {list(SENTENCES)}.")
    # One generator per purpose: turning one cue must not change the draws of another.
    timing, pitch, pulses, air, take = (
        np.random.default_rng(s) for s in np.random.SeedSequence(seed).spawn(5)
    )
    f0, level, rate = np.exp(np.array([0.025, 0.10, 0.03]) * take.standard_normal(3))
    spoken = Cues(**{name: ratio * getattr(speaker.habits, name) for name, ratio in asdict(cues).items()})
    plan = _plan(SENTENCES[sentence], replace(spoken, rate=spoken.rate * rate), timing)
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
    formants = np.hstack([lower, np.tile(_UPPER, (len(frames), 1))])
    formants = np.clip(formants * speaker.tract * spoken.smile, 150, 7700)
    voiced = _vocal_tract(source, formants, _BANDWIDTHS * speaker.tract)
    voiced /= np.sqrt(np.mean(voiced[amplitude > 0.3] ** 2))
    y = voiced + 0.5 * _frication(plan, length, spoken, speaker.tract, air)
    y = _room(y, speaker.seed, take)
    y = signal.sosfilt(signal.butter(2, 60, "highpass", fs=SAMPLE_RATE, output="sos"), y)
    y *= _LEVEL * spoken.loudness * level / np.sqrt(np.mean(y[amplitude > 0.1] ** 2))
    y += 2e-4 * air.standard_normal(length)  # the noise floor of a quiet recording, about -74 dB
    y *= min(1.0, 0.95 / np.abs(y).max())
    return y.astype(np.float32)


class Take(np.ndarray):
    """Samples that remember by which call of `bench` they were made, for the players of the book.

    What is computed from them does not: its `recipe` is None.
    """

    recipe: dict | None = None


def bench(
    speaker: str = "d01", sentence: str = "s1", emotion: str = "neutral", seed: int = 0, **changes: float
) -> Take:
    """Speak one utterance with named cues changed, everything else as it was.

    Parameters
    ----------
    speaker, sentence : str
        Who speaks, and what: see `voice` and `SENTENCES`.
    emotion : str
        The cues to start from, a key of `CUES`; neutral by default.
    seed : int
        The take.
    **changes : float
        Cues to set, as ratios to neutral: see `Cues`.

    Returns
    -------
    Take
        An array, float32 of shape (samples,), at `SAMPLE_RATE`.

    Raises
    ------
    CorpusError
        If a cue, the speaker, the sentence or the emotion is not known, or a cue is not positive.

    Examples
    --------
    >>> slow = bench(rate=0.7)
    >>> len(slow) > len(bench())
    True
    """
    known = [field.name for field in fields(Cues)]
    if unknown := set(changes) - set(known):
        raise CorpusError(f"There is no cue {sorted(unknown)[0]!r}; the cues are {', '.join(known)}.")
    for name, value in changes.items():
        if not value > 0:
            raise CorpusError(f"A cue is a ratio to neutral and must be positive, but {name} = {value}.")
    if emotion not in CUES:
        raise CorpusError(f"The synthesiser does not know the emotion {emotion!r}; use one of {list(CUES)}.")
    changes = {name: float(value) for name, value in changes.items()}
    take = synthesise(voice(speaker), replace(CUES[emotion], **changes), sentence, seed).view(Take)
    take.recipe = {"speaker": speaker, "sentence": sentence, "emotion": emotion, "seed": seed, **changes}
    return take
