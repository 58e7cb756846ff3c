"""Checkers of chapters 15 and 15b, CREMA-D: copies that leak, and networks counted."""

import numpy as np

from serlab.check import call, compare, exercise


@exercise
def share_with_sister(answer) -> str:
    """Check ``answer(versions, tested)``: the share of test rows with a sister in training."""
    for versions, tested in ((3, 1 / 3), (5, 0.2), (4, 0.4), (2, 0.3)):
        right = 1 - tested ** (versions - 1)
        mistakes = (
            (1 - right, "That is the share of test rows that are safe. The question is about the others."),
            (1 - tested**versions, "You count the row among its own sisters. It has one sister less."),
            (1 - (1 - tested) ** (versions - 1), "That is the share with a sister in the test set."),
            (1 - tested, "So many have one certain sister in training. Any one of them is enough to leak."),
        )
        case = f"{versions} versions, of which {tested:.2f} are tested"
        compare(call(answer, versions, tested), right, case, *mistakes)
    return "The more copies are made, the surer it is that one of them has the answer."


@exercise
def share_shared(answer) -> str:
    """Check ``answer(keys, train, test)``: the share of test rows whose key is in training, too."""
    rng = np.random.default_rng(15)
    for size in (90, 70):
        keys = rng.choice([f"clip {i}" for i in range(61)], 150)
        train, test = np.split(rng.permutation(150), [size])
        shared = np.isin(keys[test], keys[train])
        right = shared.mean()
        each_once = np.isin(np.unique(keys[test]), keys[train]).mean()
        mistakes = (
            (0, "No row is in both parts, but its key may be. Look the rows up in `keys`."),
            (1 - right, "That is the share of test rows that share nothing."),
            (shared.sum(), "That is how many test rows do. Divide by the number of test rows."),
            (np.isin(keys[train], keys[test]).mean(), "That is the share of training rows. Count test rows."),
            (each_once, "You count each key once. Count rows, for it is rows that are scored."),
        )
        compare(call(answer, keys, train, test), right, "random rows", *mistakes)
    return "It takes no training: ask it of every split before you believe a score."


@exercise
def convolution(answer) -> str:
    """Check ``answer(size, depth, filters, high, wide)``: parameters, and multiplications for a picture."""
    for size, depth, filters, high, wide in ((5, 3, 16, 20, 30), (3, 16, 7, 9, 40)):
        weights, places = size * size * depth * filters, high * wide
        right = weights + filters, weights * places
        flat = size * size * filters
        one_place = (right[0], weights)
        with_bias = (right[0], right[0] * places)
        mistakes = (
            (right[::-1], "You give them the other way round: parameters first, then multiplications."),
            ((weights, right[1]), "Each filter has one parameter more, its bias."),
            (with_bias, "A bias is added, not multiplied: multiply the weights alone by the places."),
            (one_place, "Those are the multiplications at one place. A filter is used at every one."),
            ((flat + filters, flat * places), "A filter reads all maps at once: where is the depth?"),
        )
        case = f"{filters} filters of {size} by {size} on {depth} maps of {high} by {wide}"
        compare(call(answer, size, depth, filters, high, wide), right, case, *mistakes)
    return "Parameters do not know how large the picture is, and work does."


@exercise
def seconds_read(answer) -> str:
    """Check ``answer(wanted, counted_for, read_at)``: how many seconds the counted samples really last."""
    for wanted, counted_for, read_at in ((3.5, 22_050, 16_000), (2, 16_000, 44_100), (4, 8000, 16_000)):
        right = wanted * counted_for / read_at
        samples = wanted * counted_for
        upside_down = wanted * read_at / counted_for
        mistakes = (
            (wanted, "That is what was wanted. Count samples at one rate, then play them at the other."),
            (upside_down, "The other way round: the fewer samples a second has, the longer they last."),
            (samples, "That is the number of samples. How long do they last when they are read?"),
            (right - wanted, "That is how much longer it is than wanted. How long is it in all?"),
        )
        case = f"{wanted} seconds counted for {counted_for} and read at {read_at}"
        compare(call(answer, wanted, counted_for, read_at), right, case, *mistakes)
    return "Nothing crashes when a rate is wrong: print what you have derived, and look whether it can be."
