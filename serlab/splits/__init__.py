"""Who is trained on and who is tested on: the protocols of the book, and an audit of what leaks in them.

A `Split` is a list of folds of row numbers into an utterance table. Speaker-disjoint protocols are the honest
default; those that put one speaker on both sides exist to show what that does, and have to be asked for by
name.
"""

from serlab.splits.base import Fold, Split, check, check_rows, fingerprint, warn_of_untrained
from serlab.splits.folds import (
    across,
    corpus_folds,
    hold_out_clips,
    leave_one_out,
    original_hold_out,
    random_folds,
    speaker_folds,
)
from serlab.splits.leakage import audit
from serlab.splits.protocols import (
    PROTOCOLS,
    SIX_EMOTIONS,
    Protocol,
    get,
    honest_protocol,
    make,
    six_emotions,
)
from serlab.splits.validation import with_random_validation, with_validation

__all__ = [
    "PROTOCOLS",
    "SIX_EMOTIONS",
    "Fold",
    "Protocol",
    "Split",
    "across",
    "audit",
    "check",
    "check_rows",
    "corpus_folds",
    "fingerprint",
    "get",
    "hold_out_clips",
    "honest_protocol",
    "leave_one_out",
    "make",
    "original_hold_out",
    "random_folds",
    "six_emotions",
    "speaker_folds",
    "warn_of_untrained",
    "with_random_validation",
    "with_validation",
]
