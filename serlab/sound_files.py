"""Sound files opened, checked and decoded in blocks: the one way in for what reads, lists or judges them.

libsndfile decodes what it can; what phones and browsers record (MP4, WebM, 3GP, AMR, WMA, ...) is decoded by
PyAV where that is installed. Either way its container is looked through first (see `serlab.containers`).
"""

import contextlib
import math
import os
from collections.abc import Iterator

import numpy as np

from serlab.containers import SoundFileError, inspect_container
from serlab.decoders import ByLibsndfile, ByPyAV, Sound
from serlab.errors import AudioError
from serlab.paths import regular_file, shown

# fmt: off
SUFFIXES = frozenset((
    ".wav", ".wave", ".w64", ".rf64", ".flac", ".mp3", ".mp2", ".ogg", ".oga", ".opus", ".spx", ".aif",
    ".aiff", ".aifc", ".au", ".snd", ".caf", ".sph", ".nist", ".svx", ".m4a", ".m4b", ".mp4", ".mov", ".3gp",
    ".3g2", ".webm", ".mka", ".mkv", ".aac", ".amr", ".wma", ".asf", ".weba", ".3ga", ".awb", ".m4r",
    ".qta", ".mpga",
))
# fmt: on
"""File name endings of sound files. What a file holds is told by its content, not by its name."""

MIN_SECONDS, MAX_SECONDS = 0.1, 300.0
# Quieter than three steps of 16-bit audio: no speech can be in there.
SILENT_PEAK = 1e-4
# Lossy formats and normalised sound go a little beyond full scale, 1; whole numbers taken as they are, far.
LOUDEST_PEAK = 10.0
# From this peak on a sound may be clipped; it is if so large a share of its samples lies on flat tops, or
# beyond full scale after a lossy codec. Of 4,671 studio recordings (RAVDESS, nEMO, EmoDB) none has any.
CLIPPED_PEAK, CLIPPED_SHARE = 0.98, 5e-4
# Two channels may be two people if their levels, every 50 ms, come and go (standard deviation over mean:
# voices 0.4, steady noise 0.03) and correlate less than this. Over 180 clips of RAVDESS, nEMO and EmoDB one
# voice has 0.8 and more, whatever delay, gain, room or noise part its channels, two at a time 0.2 on average.
LEVELS_A_SECOND, UNLIKE, COMES_AND_GOES = 20, 0.6, 0.3


@contextlib.contextmanager
def opened(path: str | os.PathLike) -> Iterator[Sound]:
    """Open a sound file of any format and make sure that its container is whole.

    `AudioError` if it is no regular file, cannot be opened, or is damaged; its sound is judged while decoded.

    Examples
    --------
    >>> import pathlib, soundfile, tempfile
    >>> path = pathlib.Path(tempfile.mkdtemp()) / "tone.wav"
    >>> soundfile.write(path, np.sin(np.arange(8000) * 0.1), 16000)
    >>> with opened(path) as sound:
    ...     sound.rate, sound.channels, sound.frames, [block.shape for block in sound.blocks()]
    (16000, 1, 8000, [(8000, 1)])
    """
    size = regular_file(path, AudioError).st_size
    with contextlib.ExitStack() as stack:
        try:
            file = stack.enter_context(open(path, "rb", buffering=0))
            container = inspect_container(file, size)
            kind = ByPyAV if container.needs_pyav else ByLibsndfile
            yield stack.enter_context(contextlib.closing(kind(file, container)))
        except SoundFileError as error:
            error.path = path
            raise
        except OSError as error:
            raise AudioError(
                f"{shown(path)} cannot be opened ({error.strerror}). Check its permissions."
            ) from error


def duration(path: str | os.PathLike) -> float:
    """Return the length of a sound file in seconds; raise `AudioError` as `opened` does."""
    with opened(path) as sound:
        if sound.frames is None:
            return sum(map(len, sound.blocks())) / sound.rate
        sound.check_end()
        return sound.frames / sound.rate


def listen(
    sound: Sound,
    seconds: float | None = None,
    min_seconds: float = MIN_SECONDS,
    max_seconds: float = MAX_SECONDS,
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Decode an open sound file and judge it on the way: its length, its amplitude, its channels.

    Takes a sound from `opened`; its ``notes`` are complete when all blocks have come. `seconds` is how much
    of the beginning, by default all; the others are the shortest file, and the longest part of one, that will
    do. Yields blocks of float32, (samples, channels), and their mix, (samples,).
    """
    limit = None if seconds is None else math.ceil(seconds * sound.rate)
    if sound.frames is not None:
        _check_length(sound.frames / sound.rate, min_seconds, math.inf if limit else max_seconds)
    peak = mono_peak = 0.0
    frames = flat = 0
    # Floats of lossless formats may go beyond full scale unharmed; a lossy codec blurs what was flat.
    lossy = sound.container.needs_pyav or sound.container.name in ("MP3", "Ogg")
    part, rest, levels = max(1, sound.rate // LEVELS_A_SECOND), np.empty((0, 2)), []
    for block in sound.blocks(limit):
        frames += len(block)
        _check_length(frames / sound.rate, 0, max_seconds)
        block_peak = float(np.abs(block).max(initial=0))
        if not math.isfinite(block_peak):
            raise SoundFileError("numbers", "holds NaN or infinite samples")
        mono = block[:, 0] if sound.channels == 1 else block.T.mean(axis=0)
        peak, mono_peak = max(peak, block_peak), max(mono_peak, float(np.abs(mono).max(initial=0)))
        if block_peak >= CLIPPED_PEAK:
            flat += np.count_nonzero(np.abs(block) > 1) if lossy else _on_flat_tops(block)
        if sound.channels == 2:
            rest = np.concatenate([rest, block])
            whole = len(rest) // part * part
            levels.append(np.sqrt(np.square(rest[:whole]).reshape(-1, part, 2).mean(axis=1)))
            rest = rest[whole:]
        yield block, mono
    _check_length(frames / sound.rate, 0 if limit else min_seconds, max_seconds)
    if peak < SILENT_PEAK:
        raise SoundFileError("silent", f"is silent (peak {peak:.1g} of full scale)")
    if peak > LOUDEST_PEAK:
        raise SoundFileError("scale", f"holds samples up to {peak:.0f}, where full scale is 1")
    if sound.channels > 1 and mono_peak < max(SILENT_PEAK, 0.01 * peak):
        raise SoundFileError("opposite", "has channels that cancel each other out when mixed to mono")
    share = flat / (frames * sound.channels)
    if share > CLIPPED_SHARE:
        words = f"is clipped: {100 * share:.2g} % of its samples are cut off at full scale"
        sound.notes.append(("clipped", words))
    if levels and _are_two_voices(np.concatenate(levels)):
        words = "has two channels that differ: if each is one person, save them apart"
        sound.notes.append(("voices", words))


def _are_two_voices(levels: np.ndarray) -> bool:
    """Tell whether two channels come and go each by itself: levels, (time, 2), of a second or more."""
    comes = (levels.std(axis=0) > COMES_AND_GOES * levels.mean(axis=0)).all()
    return len(levels) >= LEVELS_A_SECOND and bool(comes) and np.corrcoef(levels.T)[0, 1] < UNLIKE


def _check_length(duration: float, shortest: float, longest: float) -> None:
    if duration == 0:
        raise SoundFileError("empty", "holds no samples")
    if duration < shortest:
        raise SoundFileError("short", f"lasts {duration:.3g} s, less than the {shortest:g} s needed")
    if duration > longest:
        raise SoundFileError("long", f"lasts {duration:.0f} s, more than the {longest:g} s allowed")


def _on_flat_tops(block: np.ndarray) -> int:
    """Count the samples near full scale that are the third or a later one of a row of equal ones."""
    same = (block[1:] == block[:-1]) & (np.abs(block[1:]) >= CLIPPED_PEAK)
    return int(np.count_nonzero(same[1:] & same[:-1]))
