"""What every feature extractor has: parameters, a name, a shape, a key, and documentation to print."""

import inspect
from dataclasses import dataclass, fields
from importlib.metadata import version
from typing import ClassVar

import numpy as np

from serlab import audio, results_cache


@dataclass(frozen=True, kw_only=True)
class Extractor:
    """Something that turns a signal into an array of float32. Subclass it to make your own.

    A subclass is a frozen dataclass whose fields are its parameters, with a class variable `name`,
    a property `shape`, and a method `extract`. Two extractors with equal parameters are equal.

    Attributes
    ----------
    sample_rate : int
        Rate in Hz of the signals that `extract` takes.
    libraries : tuple of str
        Packages on whose versions the result depends.
    units : dict
        What each parameter is, and its unit: for the documentation.
    releases_gil : bool
        Whether threads are enough to measure several clips at once, because most of the work is done outside
        Python's global lock.
    """

    name: ClassVar[str]
    libraries: ClassVar[tuple[str, ...]] = ("librosa", "soxr")
    releases_gil: ClassVar[bool] = False
    units: ClassVar[dict[str, str]] = {"sample_rate": "Hz the sound is resampled to"}

    sample_rate: int = 16000

    def __init_subclass__(cls, **options) -> None:
        """Describe parameters in the documentation of a class by its `units`, as they are printed."""
        super().__init_subclass__(**options)
        if "units" in vars(cls) and "Attributes\n" not in (cls.__doc__ or ""):
            parameters = "\n".join(f"{name}\n    {text}" for name, text in cls.units.items())
            cls.__doc__ = f"{inspect.cleandoc(cls.__doc__ or '')}\n\nAttributes\n----------\n{parameters}"

    @property
    def shape(self) -> tuple[int | None, ...]:
        """Shape of the result; None stands for time in frames where it follows the clip's length."""
        raise NotImplementedError

    @property
    def input_seconds(self) -> float | None:
        """How much of the beginning of a clip is enough, in seconds; None means all of it."""
        return None

    def extract(self, y: np.ndarray) -> np.ndarray:
        """Turn one signal into features.

        Takes floats, (samples,), mono, at `sample_rate`, full scale at 1: what `serlab.audio.read` gives.
        Check them with `serlab.audio.signal`, as the extractors of serlab do. Gives float32 of `shape`.
        """
        raise NotImplementedError

    @property
    def key(self) -> str:
        """Sixteen hexadecimal digits that change with the parameters, the code and the libraries."""
        libraries = [f"{library} {version(library)}" for library in self.libraries]
        return results_cache.key(b"", self, libraries)[:16]

    def __str__(self) -> str:
        about = inspect.cleandoc(type(self).__doc__).split("\n\n")[0].replace("\n", " ")
        units: dict[str, str] = {}
        for kind in reversed(type(self).__mro__):
            units |= getattr(kind, "units", {})
        lines = [
            f"  {f.name} = {getattr(self, f.name)!r}  {units.get(f.name, '')}".rstrip() for f in fields(self)
        ]
        shape = ", ".join("time" if size is None else str(size) for size in self.shape)
        return "\n".join([f"{type(self).__name__}: {about}", *lines, f"  gives float32 of shape ({shape})"])


@dataclass(frozen=True, kw_only=True)
class FrameFeature(Extractor):
    """Something measured frame by frame: gives (channels, time), one column per `hop_length` samples.

    With `seconds`, all results have one shape; for `align`, see `serlab.audio.fit_length`.
    """

    units: ClassVar[dict[str, str]] = {
        "seconds": "s of sound every clip is cut or padded to; None keeps each clip's own length",
        "align": "where the sound lies when cut or padded: left, centre or right",
        "n_fft": "samples in a frame",
        "hop_length": "samples from one frame to the next",
    }

    n_fft: int = 1024
    hop_length: int = 256
    seconds: float | None = None
    align: str = "left"

    @property
    def channels(self) -> tuple[str, ...]:
        """Names of the rows of the result."""
        return (self.name,)

    @property
    def frame_rate(self) -> float:
        """Frames per second."""
        return self.sample_rate / self.hop_length

    @property
    def shape(self) -> tuple[int | None, ...]:
        """(channels, time); time is None where it follows the clip's length."""
        samples = None if self.seconds is None else round(self.seconds * self.sample_rate)
        return (len(self.channels), None if samples is None else 1 + samples // self.hop_length)

    @property
    def input_seconds(self) -> float | None:
        return self.seconds if self.align == "left" else None

    def extract(self, y: np.ndarray) -> np.ndarray:
        """Turn one signal into frames of features: (samples,) to (channels, time)."""
        y = audio.signal(y, self.name)
        if self.seconds is not None:
            y = audio.fit_length(y, round(self.seconds * self.sample_rate), self.align)
        return np.atleast_2d(self.frames(y)).astype(np.float32, copy=False)

    def frames(self, y: np.ndarray) -> np.ndarray:
        """Measure every frame of a checked signal: (samples,) to (channels, time) or (time,)."""
        raise NotImplementedError
