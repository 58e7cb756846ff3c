"""Changes to a batch of spectrograms, all clips at once: masks, shifts in time, mixtures of clips."""

from __future__ import annotations

import numpy as np

from serlab.errors import FeatureError


def time_mask(
    X: np.ndarray,
    rng: np.random.Generator,
    count: int = 2,
    width: tuple[int, int] = (0, 30),
    fill: float | str = "mean",
) -> np.ndarray:
    """Blank out stretches of time, other ones in every clip (SpecAugment).

    Parameters
    ----------
    X : ndarray, shape (clips, bands, frames, ...)
    rng : Generator
    count : int
        Masks for each clip; they may overlap.
    width : (int, int)
        Fewest and most frames that a mask covers, both included. Every width and every place is equally
        likely.
    fill : {"mean", "min"} or float
        What is put there: each clip's own mean or least value, or a number. Park et al. filled with zero
        spectrograms whose mean was zero, which is "mean" here, whatever the scale.

    Returns
    -------
    ndarray, shape and type of `X`
        A copy.

    Raises
    ------
    FeatureError
        If the shape, the widths or the fill cannot be.

    References
    ----------
    Park, D. S. et al. (2019). SpecAugment: a simple data augmentation method for automatic speech
    recognition. Interspeech, 2613-2617.

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
    """Blank out ranges of neighbouring bands, other ones in every clip (SpecAugment).

    Parameters
    ----------
    X : ndarray, shape (clips, bands, frames, ...)
    rng, count, fill
        As in `time_mask`.
    width : (int, int)
        Fewest and most bands that a mask covers, both included.

    Returns
    -------
    ndarray, shape and type of `X`
        A copy.

    Raises
    ------
    FeatureError
        If the shape, the widths or the fill cannot be.

    References
    ----------
    Park et al. 2019, see `time_mask`.

    Examples
    --------
    >>> masked = frequency_mask(np.ones((1, 5, 2)), np.random.default_rng(0), count=1, width=(2, 2), fill=0.0)
    >>> int((masked == 0).sum())
    4
    """
    return _mask(X, rng, 1, count, width, fill)


def shift_frames(X: np.ndarray, rng: np.random.Generator, most: int, fill: float | str = "min") -> np.ndarray:
    """Move every clip in time by a random number of frames; what leaves at one end is lost.

    Parameters
    ----------
    X : ndarray, shape (clips, bands, frames, ...)
    rng : Generator
    most : int
        Clips move by up to so many frames, earlier or later.
    fill : {"mean", "min"} or float
        What comes in at the other end; "min", the clip's least value, is silence.

    Returns
    -------
    ndarray, shape and type of `X`
        A copy.

    Raises
    ------
    FeatureError
        If the shape or the fill cannot be, or a clip could be moved out of sight.

    Examples
    --------
    >>> X = np.arange(12.0).reshape(3, 1, 4)
    >>> shift_frames(X, np.random.default_rng(0), most=2, fill=0.0).tolist()
    [[[0.0, 0.0, 0.0, 1.0]], [[0.0, 4.0, 5.0, 6.0]], [[8.0, 9.0, 10.0, 11.0]]]
    """
    X = _checked(X)
    frames = X.shape[2]
    if not 0 <= most < frames:
        raise FeatureError(f"{frames} frames cannot be moved by up to {most}: take 0 to {frames - 1}.")
    places = np.arange(frames) - rng.integers(-most, most + 1, size=len(X))[:, None]
    inside = (places >= 0) & (places < frames)
    taken = np.take_along_axis(X, _along(places.clip(0, frames - 1), X, 2), axis=2)
    return np.where(_along(inside, X, 2), taken, _filling(X, fill))


def shift_bands(X: np.ndarray, rng: np.random.Generator, most: int) -> np.ndarray:
    """Move every clip up or down in frequency by a random number of bands; the outermost band is repeated.

    Speakers differ in pitch and in the length of the vocal tract; on a mel axis both look much like a move
    up or down.

    Parameters
    ----------
    X : ndarray, shape (clips, bands, frames, ...)
    rng : Generator
    most : int
        Clips move by up to so many bands, down or up.

    Returns
    -------
    ndarray, shape and type of `X`
        A copy.

    Raises
    ------
    FeatureError
        If the shape cannot be, or a clip could be moved out of sight.

    References
    ----------
    Jaitly & Hinton 2013, Vocal tract length perturbation (VTLP) improves speech recognition, ICML workshop
    on deep learning for audio, speech and language: the same idea with a warp instead of a move.

    Examples
    --------
    >>> X = np.arange(8.0).reshape(2, 4, 1)
    >>> shift_bands(X, np.random.default_rng(0), most=2)[:, :, 0].tolist()
    [[0.0, 0.0, 0.0, 1.0], [4.0, 4.0, 5.0, 6.0]]
    """
    X = _checked(X)
    bands = X.shape[1]
    if not 0 <= most < bands:
        raise FeatureError(f"{bands} bands cannot be moved by up to {most}: take 0 to {bands - 1}.")
    places = np.arange(bands) - rng.integers(-most, most + 1, size=len(X))[:, None]
    return np.take_along_axis(X, _along(places.clip(0, bands - 1), X, 1), axis=1)


def mixup(
    X: np.ndarray, Y: np.ndarray, rng: np.random.Generator, alpha: float = 0.2
) -> tuple[np.ndarray, np.ndarray]:
    """Blend every clip of a batch with another one of it, and their labels in the same proportion.

    Parameters
    ----------
    X : ndarray of float, shape (clips, ...)
    Y : ndarray of float, shape (clips, classes)
        Labels as shares of the classes: one-hot, or blended already.
    rng : Generator
    alpha : float
        The share of one clip is drawn from a beta distribution with both parameters `alpha`: near 0 or 1
        for a small one, anything for 1. Each pair has its own share; Zhang et al. drew one for each batch.

    Returns
    -------
    X : ndarray, shape and type as given
    Y : ndarray, shape and type as given

    Raises
    ------
    FeatureError
        If the labels are not one row of shares for every clip, or alpha is not positive.

    References
    ----------
    Zhang, H., Cisse, M., Dauphin, Y. N. & Lopez-Paz, D. (2018). mixup: beyond empirical risk minimization.
    ICLR.

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
    size, (least, most) = X.shape[axis], width
    if not 0 <= least <= most <= size:
        unit = "bands" if axis == 1 else "frames"
        raise FeatureError(f"Masks of {least} to {most} {unit} do not fit into {size} {unit}.")
    widths = rng.integers(least, most + 1, size=(len(X), count, 1))
    starts = rng.integers(0, size - widths + 1)
    places = np.arange(size)
    covered = ((places >= starts) & (places < starts + widths)).any(axis=1)
    return np.where(_along(covered, X, axis), _filling(X, fill), X)


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
