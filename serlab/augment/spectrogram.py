"""Changes to a batch of spectrograms, all clips at once: masks, moves in time and frequency, mixtures.

Functions take ``X``, floats of shape (clips, bands, frames, ...), and a random generator; they return a copy
of the same shape and type, and raise `serlab.errors.FeatureError` for what cannot be.
"""

import numpy as np

from serlab.errors import FeatureError


def time_mask(
    X: np.ndarray,
    rng: np.random.Generator,
    count: int = 2,
    width: tuple[int, int] = (0, 30),
    fill: float | str = "mean",
) -> np.ndarray:
    """Blank out `count` stretches of time, which may overlap, other ones in every clip.

    SpecAugment: Park et al. 2019, Interspeech, 2613-2617. They filled with zero spectrograms whose mean was
    zero, which is "mean" here, whatever the scale. `width` is the fewest and the most frames of a mask, all
    equally likely; `fill` is each clip's own "mean" or least value, "min", or a number.

    Examples
    --------
    >>> masked = time_mask(np.ones((2, 3, 10)), np.random.default_rng(0), count=1, width=(4, 4), fill=0.0)
    >>> masked.sum(axis=(1, 2)).tolist()
    [18.0, 18.0]
    """
    return _mask(X, rng, 2, count, width, fill)


def frequency_mask(
    X: np.ndarray,
    rng: np.random.Generator,
    count: int = 2,
    width: tuple[int, int] = (0, 8),
    fill: float | str = "mean",
) -> np.ndarray:
    """Blank out ranges of neighbouring bands, as `time_mask` does with frames."""
    return _mask(X, rng, 1, count, width, fill)


def shift_frames(X: np.ndarray, rng: np.random.Generator, most: int, fill: float | str = "min") -> np.ndarray:
    """Move every clip by up to `most` frames, earlier or later; what leaves at one end is lost.

    What comes in at the other end is `fill`, as in `time_mask`; "min" is silence.

    Examples
    --------
    >>> X = np.arange(12.0).reshape(3, 1, 4)
    >>> shift_frames(X, np.random.default_rng(0), most=2, fill=0.0).tolist()
    [[[0.0, 0.0, 0.0, 1.0]], [[0.0, 4.0, 5.0, 6.0]], [[8.0, 9.0, 10.0, 11.0]]]
    """
    moved, inside = _moved(X, rng, 2, most)
    return np.where(inside, moved, _filling(np.asarray(X), fill))


def shift_bands(X: np.ndarray, rng: np.random.Generator, most: int) -> np.ndarray:
    """Move every clip by up to `most` bands, down or up; the outermost band is repeated.

    Voices differ in pitch and vocal tract, which on a mel axis is much like a move. With a warp: Jaitly &
    Hinton 2013, Vocal tract length perturbation improves speech recognition, ICML workshop.
    """
    return _moved(X, rng, 1, most)[0]


def mixup(
    X: np.ndarray, Y: np.ndarray, rng: np.random.Generator, alpha: float = 0.2
) -> tuple[np.ndarray, np.ndarray]:
    """Blend every clip of a batch with another one of it, and their labels in the same proportion.

    `Y` holds labels as shares of the classes: one-hot, or blended already. The share of one clip is drawn
    from a beta distribution with both parameters `alpha`: near 0 or 1 for a small one, anything for 1. After
    Zhang, Cisse, Dauphin & Lopez-Paz 2018, mixup: beyond empirical risk minimization, ICLR, who drew one
    share for each batch; here each pair has its own.

    Examples
    --------
    >>> X, Y = mixup(np.eye(4), np.eye(4), np.random.default_rng(0), alpha=1.0)
    >>> Y.sum(axis=1).tolist(), np.allclose(X, Y)
    ([1.0, 1.0, 1.0, 1.0], True)
    """
    X, Y = np.asarray(X), np.asarray(Y)
    if Y.ndim != 2 or len(Y) != len(X) or Y.dtype.kind != "f" or not np.allclose(Y.sum(axis=1), 1, atol=1e-4):
        raise FeatureError(
            f"mixup needs labels as shares of the classes, floats of shape ({len(X)}, classes) whose rows "
            f"add up to 1, not {Y.dtype} of shape {Y.shape}. Make them one-hot."
        )
    if not alpha > 0:
        raise FeatureError(f"alpha must be positive, not {alpha}. Leave mixup out to mix nothing.")
    share = rng.beta(alpha, alpha, size=len(X))
    other = rng.permutation(len(X))
    return tuple(
        values * (weight := _along(share, values).astype(values.dtype)) + values[other] * (1 - weight)
        for values in (X, Y)
    )


def _mask(X, rng, axis: int, count: int, width: tuple[int, int], fill: float | str) -> np.ndarray:
    X = _checked(X)
    size, (least, most), unit = X.shape[axis], width, _UNITS[axis]
    if not 0 <= least <= most <= size:
        raise FeatureError(f"Masks of {least} to {most} {unit} do not fit into {size} {unit}.")
    widths = rng.integers(least, most + 1, size=(len(X), count, 1))
    starts = rng.integers(0, size - widths + 1)
    places = np.arange(size)
    covered = ((places >= starts) & (places < starts + widths)).any(axis=1)
    return np.where(_along(covered, X, axis), _filling(X, fill), X)


def _moved(X, rng, axis: int, most: int) -> tuple[np.ndarray, np.ndarray]:
    """Move clips along an axis, the outermost value repeated; and say what lay inside before."""
    X = _checked(X)
    size = X.shape[axis]
    if not 0 <= most < size:
        raise FeatureError(f"{size} {_UNITS[axis]} cannot be moved by up to {most}: take 0 to {size - 1}.")
    places = np.arange(size) - rng.integers(-most, most + 1, size=len(X))[:, None]
    moved = np.take_along_axis(X, _along(places.clip(0, size - 1), X, axis), axis=axis)
    return moved, _along((places >= 0) & (places < size), X, axis)


_UNITS = {1: "bands", 2: "frames"}


def _along(values: np.ndarray, X: np.ndarray, axis: int = 1) -> np.ndarray:
    """Shape (clips,) or (clips, size) so that it goes with X, the second dimension along `axis`."""
    shape = [len(X)] + [1] * (X.ndim - 1)
    if values.ndim == 2:
        shape[axis] = values.shape[1]
    return values.reshape(shape)


def _filling(X: np.ndarray, fill: float | str) -> np.ndarray:
    axes = tuple(range(1, X.ndim))
    if fill == "mean":
        value = X.mean(axis=axes, keepdims=True)
    elif fill == "min":
        value = X.min(axis=axes, keepdims=True)
    elif isinstance(fill, str):
        raise FeatureError(f"fill must be 'mean', 'min' or a number, not {fill!r}.")
    else:
        value = np.asarray(fill)
    return value.astype(X.dtype)


def _checked(X: np.ndarray) -> np.ndarray:
    X = np.asarray(X)
    if X.ndim < 3 or X.dtype.kind != "f":
        raise FeatureError(
            "Needed is a batch of spectrograms, floats of shape (clips, bands, frames), "
            f"not {X.dtype} of shape {X.shape}. For one spectrogram, take X[np.newaxis]."
        )
    return X
