"""Checkers of chapter 13, across languages."""

import numpy as np

from serlab.check import Hint, call, compare, exercise, require


@exercise
def moved(answer) -> str:
    """Check ``answer(X, speakers, few, rng)``: features less the mean of a few clips of the same speaker."""
    speakers = np.random.default_rng(13).permutation(np.repeat(list("abcd"), 12))
    X, few = np.eye(48), 5  # so what is taken away tells which clips were drawn
    taken = []
    for seed in (1, 2):
        got = np.asarray(call(answer, X, speakers, few, np.random.default_rng(seed)))
        require(got.shape == X.shape, f"It gives an array of shape {got.shape} for one of {X.shape}.")
        taken.append(np.round(few * (X - got), 9))
    require(np.any(taken[0]), "Nothing has moved.")
    for shares in taken:
        alone = shares[:, None, :] * (speakers[:, None] != speakers)[:, None, :]
        require(not np.any(alone), "Some mean has clips of other speakers in it. Draw each speaker's own.")
        of_all = np.allclose(shares[shares > 0], few / 12)
        require(not of_all, "You take the mean of all clips of a speaker. Only a few are known.")
        if not all(np.allclose(shares[speakers == name], shares[speakers == name][0]) for name in "abcd"):
            raise Hint("Clips of one speaker are moved by different amounts. Draw once for each speaker.")
        if not np.allclose(shares, np.round(shares)):
            raise Hint(f"It is not the mean of {few} clips that is taken away.")
        require(np.allclose(shares.max(axis=1), 1), "Some clip is drawn twice. Draw without replacement.")
    require(not np.allclose(*taken), "It is the same clips every time: let `rng` draw them.")
    return "A few clips without labels are enough to move a speaker; what they are a mixture of is not asked."


@exercise
def everywhere(answer) -> str:
    """Check ``answer(corpora, emotions)``: which clips show an emotion that every corpus has."""
    rng = np.random.default_rng(13)
    have = {"a": ["sad", "calm", "happy", "bored"], "b": ["sad", "happy", "angry"]}
    have["c"] = ["happy", "angry", "sad"]
    for count in (60, 90):
        pairs = [(name, emotion) for name, own in have.items() for emotion in np.resize(own, count)]
        corpora, emotions = rng.permutation(pairs).T.copy()
        got = np.asarray(call(answer, corpora, emotions))
        if got.shape != corpora.shape or got.dtype != bool:
            raise Hint("Give True or False for each clip, as an array.")
        shared = np.isin(emotions, ["sad", "happy", "angry"])
        mistakes = (
            (shared, "You keep what more than one corpus has. An emotion that one of them lacks goes, too."),
            (~np.isin(emotions, ["sad", "happy"]), "Those are the clips that have to go: turn it round."),
            (np.isin(emotions, have["a"]), "You keep what the first corpus has. Look at the others as well."),
        )
        compare(got, np.isin(emotions, ["sad", "happy"]), f"{3 * count} random clips", *mistakes)
    return "What one corpus alone has cannot tell languages apart: it tells label sets apart."
