"""Checkers of chapter 11, ternary valence."""

import numpy as np
import pandas as pd

from serlab.check import call, compare, exercise


@exercise
def parameters(answer) -> str:
    """Check ``answer(filters, outputs)``: the parameters of the notebook's network with filters of 3 x 3."""
    for filters, outputs in ((128, 3), (10, 2), (37, 5)):
        weights, decision = 9 * filters, outputs * filters
        unpooled = weights + filters + 9 * decision + outputs
        mistakes = (
            (weights + decision + outputs, "The filters have a bias each, too: see the drawing."),
            (weights + filters + decision, "Each output has a bias, too: see the drawing."),
            (weights + decision, "Filters and outputs have a bias each: see the drawing."),
            (weights + filters, "Those are the filters. The decision also has weights and biases."),
            (unpooled, "Of each filter the strongest answer alone is left: one number, and not nine."),
        )
        case = f"{filters} filters and {outputs} outputs"
        compare(call(answer, filters, outputs), weights + filters + decision + outputs, case, *mistakes)
    return "The size of the spectrogram does not matter: pooling leaves one number of each filter."


@exercise
def by_corpus(answer) -> str:
    """Check ``answer(corpus, label)``: each clip's answer by a rule that knows only its corpus."""
    rng = np.random.default_rng(11)
    labels = ["negative", "neutral", "positive"]
    counts = {"a": (29, 1, 10), "b": (24, 27, 9), "c": (85, 3, 12), "d": (20, 6, 14)}
    for times in (3, 4):
        pairs = [[name, label] for name in counts for label in np.repeat(labels, counts[name])] * times
        corpus, label = rng.permutation(pairs).T.copy()
        count = len(label)
        share = pd.crosstab(corpus, label, normalize="index")
        usual = pd.Series(label).value_counts(normalize=True)[share.columns]

        def said(table, corpus=corpus):
            return table.idxmax(axis=1)[corpus].to_numpy()

        rule = (share / usual).idxmax(axis=1)
        got = call(answer, corpus, label)
        if isinstance(got, pd.Series):
            got = got.to_numpy()
        subtracted = said(share - usual)
        mistakes = (
            (said(share), "You say what is most common in each corpus. Compare with all clips first."),
            (np.full(count, usual.idxmax()), "You say the same everywhere. Look at each corpus by itself."),
            (subtracted, "You subtract. A rare class gains little so: divide by its share in all clips."),
            (rule.to_numpy(), "Those are the answers of the corpora. Give each clip that of its corpus."),
        )
        compare(got, rule[corpus].to_numpy(), f"{count} random clips", *mistakes)
    return "Without a sound it beats a guess, and this is the floor for whoever joins corpora."
