"""Answers to the exercises of chapters 7 and 7b."""

import numpy as np

END = np.array([[1, 0, -1]] * 3)


def receptive_fields(own=0, start=1):
    """Return an answer that counts a layer's own stride for itself, or begins elsewhere, if told to."""

    def answer(layers):
        steps = np.cumprod([1, *(stride for _, stride in layers)])
        steps = steps[own : own + len(layers)]
        return start + sum((size - 1) * step for (size, _), step in zip(layers, steps, strict=True))

    return answer


def from_above(layers):
    frames = 1
    for size, stride in layers[::-1]:
        frames = (frames - 1) * stride + size
    return frames


def one_by_one(pictures):
    return [[band[::-1] for band in clip] for clip in pictures]


RIGHT = {
    "my_kernel": [END, END.tolist(), [[1, -1]], [[1, 0, -1], [2, 0, -2], [1, 0, -1]]],
    "receptive_field": [receptive_fields(), from_above],
    "play_backwards": [one_by_one, lambda pictures: np.flip(pictures, axis=2)],
    "unseen": [
        lambda pictures: np.median(pictures, axis=(1, 2)),
        lambda pictures: [clip.max() > 4.5 for clip in pictures],
        lambda pictures: np.maximum(pictures[:, 0, 0], pictures[:, -1, -1]),
    ],
}

WRONG = {
    "my_kernel": [
        ([1, 0, -1], "a table"),
        (np.zeros((3, 3)), "nothing but zeros"),
        (END + 1, "add up to zero"),
        (END.T, "from left to right"),
        (-END.T, "from left to right"),
        (-END, "sets in"),
    ],
    "receptive_field": [
        (lambda layers: 1 + sum(size - 1 for size, _ in layers), "two frames apart"),
        (lambda layers: sum(size for size, _ in layers), "windows overlap"),
        (lambda layers: np.prod([size for size, _ in layers]), "You multiply"),
        (receptive_fields(own=1), "not yet for itself"),
        (receptive_fields(start=0), "begin with 1"),
    ],
    "play_backwards": [
        (lambda pictures: pictures[::-1], "opposite order"),
        (lambda pictures: pictures[:, ::-1], "Which axis"),
        (lambda pictures: pictures[:, ::-1, ::-1], "low and high as well"),
        (lambda pictures: np.flip(pictures), "all three axes"),
        (lambda pictures: pictures, "as they were"),
    ],
    "unseen": [
        (lambda pictures: pictures.max(), "One number for each"),
        (lambda pictures: np.ones(len(pictures)), "does not listen"),
        (lambda pictures: pictures.mean(axis=(1, 2)), "at band 0 and frame 0"),
        (lambda pictures: pictures[:, 3, 5], "at band 2 and frame 4"),
    ],
}
