"""Checkers of chapters 7 and 7b, the convolutional network and what is inside it."""

import numpy as np

from serlab.check import Hint, call, compare, exercise, require


@exercise
def my_kernel(answer) -> str:
    """Check a kernel that answers most where a sound ends."""
    kernel = np.asarray(answer, dtype=float)
    require(kernel.ndim == 2, "A kernel is a table: rows for bands, columns for frames.")
    require(kernel.any(), "With nothing but zeros it answers zero everywhere.")
    window = np.lib.stride_tricks.sliding_window_view
    ends = np.repeat([[40.0] * 12 + [0.0] * 12], 12, axis=0)
    loud_below = np.repeat([[40.0]] * 6 + [[0.0]] * 6, 24, axis=1)
    end, onset, low, high = (
        (window(picture, kernel.shape) * kernel).sum(axis=(2, 3)).max()
        for picture in (ends, ends[:, ::-1], loud_below, loud_below[::-1])
    )
    require(
        abs(kernel.sum()) < 1e-6,
        "On an even area it answers something, the more the louder. Let its numbers add up to zero.",
    )
    if not max(low, high) <= max(end, onset):
        raise Hint("It compares bands, low with high. Time runs from left to right.")
    require(end > onset, "It finds where a sound sets in. Which side is loud where a sound ends?")
    return "An even area is nothing to it, and an onset makes it negative: the ReLU leaves only ends."


@exercise
def receptive_field(answer) -> str:
    """Check ``answer(layers)``: on how many frames a value depends after layers of (size, stride)."""
    for layers in ([(3, 1), (2, 2), (3, 1), (2, 2), (3, 1)], [(5, 2), (3, 1), (3, 3), (4, 1), (2, 2)]):
        sizes, strides = zip(*layers, strict=True)
        steps = np.cumprod((1, *strides))
        grown = np.subtract(sizes, 1)
        with_own = 1 + (grown * steps[1:]).sum()
        mistakes = (
            (1 + grown.sum(), "After a stride of 2 neighbours lie two frames apart: count in frames."),
            (sum(sizes), "Neighbouring windows overlap. How much does a layer add to what is seen?"),
            (np.prod(sizes), "You multiply, as if no windows overlapped. Draw two layers of three."),
            (with_own, "A layer's own stride counts for the layers above it, not yet for itself."),
            ((grown * steps[:-1]).sum(), "Without any layer a value sees one frame: begin with 1."),
        )
        compare(call(answer, layers), 1 + (grown * steps[:-1]).sum(), f"{layers}", *mistakes)
    return "Strides below make every kernel above them wider, without a single parameter."


@exercise
def play_backwards(answer) -> str:
    """Check ``answer(pictures)``: the clips, (clips, bands, frames), backwards."""
    pictures = np.random.default_rng(7).normal(size=(5, 6, 7))
    mistakes = (
        (pictures[::-1], "That is the clips in the opposite order. Turn time round within each of them."),
        (pictures[:, ::-1], "That turns low and high round. Which axis is time?"),
        (pictures[:, ::-1, ::-1], "Time is turned round, and low and high as well."),
        (pictures[::-1, ::-1, ::-1], "You turn all three axes round, clips and bands as well."),
        (pictures, "These are the clips as they were."),
    )
    compare(call(answer, pictures), pictures[:, :, ::-1], "random clips", *mistakes)
    return "What was a rise is now a fall, and every sound ends where it began."


@exercise
def unseen(answer) -> str:
    """Check ``answer(pictures)``: numbers that no patch changes, but that hang on the clips."""
    pictures = np.ones((9, 6, 8)) * np.arange(1.0, 10)[:, None, None]
    whole = np.asarray(call(answer, pictures))
    require(whole.shape == (9,), f"One number for each of 9 clips is wanted, not {whole.shape}.")
    hidden = np.asarray(call(answer, np.zeros_like(pictures)))
    if np.allclose(whole, hidden):
        raise Hint("It answers the same if all of a clip is hidden, so it does not listen at all.")
    for low in range(0, 6, 2):
        for early in range(0, 8, 4):
            patched = pictures.copy()
            patched[:, low : low + 2, early : early + 4] = 0
            require(
                np.allclose(call(answer, patched), whole),
                f"A patch at band {low} and frame {early} changes the answer, so the map shows it.",
            )
    return "The map is white all over, and every answer hangs on the clip."
