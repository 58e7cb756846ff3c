"""The inner loop of time stretching, compiled by numba when it is first used."""

import numba
import numpy as np

# Without the interpreter's lock, so that threads can work on several clips.
_compiled = numba.njit(nogil=True, fastmath=True, cache=True)


@_compiled
def _similarity(wanted: np.ndarray, found: np.ndarray) -> float:
    """Correlate two pieces; a loud piece must not win for its loudness."""
    product, energy = np.float32(0), np.float32(1e-12)
    for i in range(len(wanted)):
        product += wanted[i] * found[i]
        energy += found[i] * found[i]
    return product / np.sqrt(energy)


@_compiled
def overlap_add(
    x: np.ndarray, window: np.ndarray, margin: int, reach: int, step: int, rate: float, length: int
) -> np.ndarray:
    """Lay pieces of a signal over each other, each taken where it continues the one before it best.

    `x` has `margin` zeros before the signal, and enough after it; `window`, of two hops, has halves that add
    up to one; a piece may be taken up to `reach` samples from its place; `step` neighbours are taken together
    for the first, rough search; `rate` is the speed, and `length` the number of samples that is wanted.
    """
    size, hop = len(window), len(window) // 2
    coarse = np.zeros(len(x) // step, np.float32)
    for offset in range(step):
        every = x[offset::step]
        for i in range(len(coarse)):
            coarse[i] += every[i]
    pieces = length // hop + 2
    result = np.zeros((pieces + 1) * hop, np.float32)
    # The middle of the first piece is the beginning, which has its full weight there.
    place = margin - hop
    for piece in range(pieces):
        if piece > 0:
            target = margin - hop + round(piece * hop * rate)
            follows = place + hop
            wanted = coarse[follows // step : (follows + hop) // step]
            best, rough = -np.inf, 0
            for start in range((target - reach) // step, (target + reach) // step + 1):
                score = _similarity(wanted, coarse[start : start + len(wanted)])
                if score > best:
                    best, rough = score, start * step + follows % step
            wanted = x[follows : follows + hop]
            best = -np.inf
            for start in range(rough - step // 2 - 1, rough + step // 2 + 2):
                score = _similarity(wanted, x[start : start + hop])
                if score > best:
                    best, place = score, start
        taken = x[place : place + size]
        added = result[piece * hop : piece * hop + size]
        for i in range(size):
            added[i] += window[i] * taken[i]
    return result[hop : hop + length]
