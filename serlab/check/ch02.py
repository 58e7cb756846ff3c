"""Checkers of chapter 2, from sound to numbers, and 2b, from spectrogram to features."""

import numpy as np

from serlab.check import Hint, call, compare, exercise, require


@exercise
def heard(answer) -> str:
    """Check ``answer(frequency, rate)``: the frequency at which a tone comes back after sampling."""
    rng = np.random.default_rng(2)
    known = [(9000, 8000), (7000, 8000), (17_500, 8000), (1500, 8000)]
    others = zip(rng.integers(100, 30_000, 20).tolist(), [4000, 16_000] * 10, strict=True)
    for frequency, rate in (*known, *others):
        restarted = frequency % (rate / 2)
        right = abs(frequency - rate * round(frequency / rate))
        mistakes = (
            (frequency % rate, "That is the distance from the multiple below. The one above may be nearer."),
            (frequency, "That is the tone itself. Half the rate is the highest that can be heard."),
            (rate - frequency, "A frequency is never negative: take the distance."),
            (
                abs(frequency - rate),
                "That is the distance from the rate. Another multiple may be nearer: 0, or twice the rate.",
            ),
            (restarted, "At half the rate the whistle turned round. You let it start again at 0."),
        )
        compare(call(answer, frequency, rate), right, f"{frequency} Hz, {rate} times a second", *mistakes)
    return "Up to half the rate a tone is what it seems; beyond, it comes back as another."


@exercise
def spectrogram_shape(answer) -> str:
    """Check ``answer(samples, n_fft, hop)``: the frequencies and frames of a centred spectrogram."""
    rng = np.random.default_rng(2)
    for n_fft, hop in ((1024, 256), (2048, 256), (512, 160)):
        samples = int(rng.integers(20_000, 60_000))
        case = f"{samples} samples, frames of {n_fft} and a hop of {hop}"
        frequencies, frames = n_fft // 2 + 1, 1 + samples // hop
        got = call(answer, samples, n_fft, hop)
        require(np.shape(got) == (2,), "Return two numbers: how many frequencies, and how many frames.")
        require(tuple(got) != (frames, frequencies), "The frequencies come first, then the frames.")
        mistakes = (
            (n_fft, "Half of these frequencies are aliases: they are above half the rate."),
            (n_fft // 2, "One is missing. Count both ends, 0 Hz and half the rate."),
        )
        compare(got[0], frequencies, case, *mistakes)
        uncentred = 1 + (samples - n_fft) // hop
        mistakes = (
            (uncentred, "So it is without silence at the ends. With it, a frame sits on the first sample."),
            (samples // hop, "One is missing: the first frame sits on sample 0, before any hop."),
            (samples // n_fft, "Frames overlap: a new one starts after every hop."),
        )
        compare(got[1], frames, case, *mistakes)
    return "Longer frames give more frequencies, shorter hops give more frames."


@exercise
def centred(answer) -> str:
    """Check ``answer(levels)``: levels in dB, made blind to the volume and to nothing else of the pattern."""
    rng = np.random.default_rng(2)
    for bands, frames in ((24, 50), (64, 90)):
        levels = rng.normal(-40, 6, (bands, frames)) - np.arange(bands)[:, None] + 9 * rng.random(frames)
        got, softer = (np.asarray(call(answer, levels - step)) for step in (0, 6))
        require(got.shape == levels.shape, f"The shape was {levels.shape}, and now it is {got.shape}.")
        change = levels - got
        even = np.allclose(change.std(), 0)
        if not even and np.allclose(change.std(axis=1), 0):
            raise Hint("A mean of its own for each band takes away the colour of the voice, too.")
        if not even and np.allclose(change.std(axis=0), 0):
            raise Hint("A mean of its own for each frame takes away which syllables are loud.")
        require(
            even,
            "The contrast changes. In decibels, volume is a shift: subtract something, divide by nothing.",
        )
        require(np.allclose(got, softer), "Play the clip 6 dB softer, and your levels are lower, too.")
    return "Near or far, it is the same picture now."


@exercise
def pause_share(answer) -> str:
    """Check ``answer(level, below_db)``: the share of pause between the first and the last sound."""
    rng = np.random.default_rng(2)
    for below_db in (30, 25, 20):
        speech = rng.uniform(-14 - below_db, -12, 120)
        speech[[0, -1]] = -13.0
        speech[rng.permutation(np.arange(1, 119))[:30]] = -70.0
        level = np.concatenate([np.full(25, -75.0), speech, np.full(15, -72.0)])
        loud = level > level.max() - below_db
        right = 1 - loud.sum() / 120
        from_zero = (speech <= -below_db).mean()
        mistakes = (
            (1 - loud.mean(), "You count the silence at both ends, which is only how the clip was cut."),
            (1 - right, "That is the share of speech."),
            ((~loud[25:145]).sum() / len(level), "Divide by the frames from the first to the last sound."),
            ((~loud[25:145]).sum(), "That is how many frames. What is their share?"),
            (from_zero, "0 dB is not the loudest frame. Compare with the largest level of the clip."),
        )
        compare(call(answer, level, below_db), right, f"a random clip and {below_db} dB", *mistakes)
    return "Nothing that was cut off at the ends counts, and neither does the volume."
