"""eGeMAPS: 88 numbers per clip that voice researchers agreed on, computed by openSMILE."""

import ctypes
import functools
import os
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import ClassVar

import numpy as np

from serlab import audio
from serlab.errors import FeatureError
from serlab.features.base import Extractor

LICENCE = (
    "openSMILE (c) audEERING GmbH is free for private use, research and teaching, not for commercial "
    "products; see https://github.com/audeering/opensmile-python/blob/main/LICENSE"
)


@functools.cache
def _smile():
    package = find_spec("opensmile")
    # Where TensorFlow was imported earlier, openSMILE takes its C++ symbols and crashes (openSMILE 2.6,
    # TensorFlow 2.21, Linux): so it is loaded with symbols of its own.
    if package is not None and hasattr(os, "RTLD_DEEPBIND"):
        for library in Path(package.origin).parent.glob("core/bin/*/libSMILEapi.so"):
            ctypes.CDLL(str(library), mode=os.RTLD_NOW | os.RTLD_DEEPBIND)
    try:
        import opensmile
    except ImportError:
        raise FeatureError(
            f'eGeMAPS needs openSMILE: pip install "serlab[egemaps]". Its licence: {LICENCE}'
        ) from None
    return opensmile.Smile(
        feature_set=opensmile.FeatureSet.eGeMAPSv02, feature_level=opensmile.FeatureLevel.Functionals
    )


@dataclass(frozen=True, kw_only=True)
class Egemaps(Extractor):
    """The extended Geneva minimalistic acoustic parameter set, eGeMAPSv02: 88 functionals of pitch, jitter,
    shimmer, loudness, formants, spectral balance, MFCC 1-4 and rhythm.

    Needs the extra ``pip install "serlab[egemaps]"``. openSMILE is free for private use, research and
    teaching, not for commercial products. Compare only values of the same sampling rate.

    References
    ----------
    Eyben et al. 2016, The Geneva minimalistic acoustic parameter set (GeMAPS) for voice research and
    affective computing, IEEE Trans. Affective Computing 7(2), 190-202.

    Examples
    --------
    >>> Egemaps().shape
    (88,)
    """

    name: ClassVar[str] = "egemaps"
    libraries: ClassVar[tuple[str, ...]] = ("opensmile", "soxr")
    shape: ClassVar[tuple[int]] = (88,)

    @property
    def feature_names(self) -> tuple[str, ...]:
        """Names of the 88 functionals, as openSMILE gives them."""
        return tuple(_smile().feature_names)

    @property
    def key(self) -> str:
        # What is missing is said before any clip is read.
        _smile()
        return super().key

    def extract(self, y: np.ndarray) -> np.ndarray:
        """Turn one signal into the 88 functionals: (samples,) to (88,)."""
        y = audio.signal(y, self.name)
        values = _smile().process_signal(y, self.sample_rate).to_numpy(dtype=np.float32)[0]
        if not np.isfinite(values).all():
            raise FeatureError(f"{self.name} needs a longer signal than {len(y)} samples")
        return values

    def __str__(self) -> str:
        return f"{super().__str__()}\n  {LICENCE}"
