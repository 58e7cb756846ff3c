"""Splits: who is on which side, what is refused, what the audit finds."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from sklearn.model_selection import train_test_split

from conftest import real_corpus
from serlab import splits
from serlab.errors import SplitError

EMOTIONS = ["neutral", "happy", "sad", "angry"]


def made_up(speakers=8, sentences=4, repeats=2):
    rows = [
        (f"{speaker:02d}-{emotion}-{sentence}-{take}", f"{speaker:02d}", emotion, f"s{sentence}")
        for speaker in range(speakers)
        for emotion in EMOTIONS
        for sentence in range(sentences)
        for take in range(repeats)
    ]
    table = pd.DataFrame(rows, columns=["clip", "speaker", "emotion", "sentence"])
    table["corpus"] = "made-up"
    return table.sample(frac=1, random_state=0, ignore_index=True)


def sides(table, fold, column):
    return set(table[column].iloc[fold.train]), set(table[column].iloc[fold.test])


@pytest.mark.parametrize(
    "protocol", ["seed-split", "random5", "group3", "clips30", "loso", "text", "speaker-text"]
)
def test_no_row_is_on_two_sides_and_protocols_keep_their_word(protocol):
    table = made_up()
    split = splits.make(table, protocol)
    assert split.name == protocol
    tested = np.concatenate([fold.test for fold in split])
    assert len(set(tested)) == tested.size, "a row is tested twice"
    for fold in split:
        assert not set(fold.train) & set(fold.test)
        train, test = sides(table, fold, "speaker")
        assert bool(train & test) != split.speaker_disjoint
        if "text" in protocol:
            train, test = sides(table, fold, "sentence")
            assert not train & test
    if protocol not in ("seed-split", "clips30"):
        assert tested.size == len(table)


@pytest.mark.parametrize("protocol", ["random5", "group3", "clips30", "text", "speaker-text"])
def test_seed_decides(protocol):
    table = made_up(sentences=12)
    tests = [[fold.test.tolist() for fold in splits.make(table, protocol, seed)] for seed in (0, 0, 1)]
    assert tests[0] == tests[1] != tests[2]


def test_seed_split_is_that_of_the_original_whatever_the_row_order():
    table = made_up().sort_values(["speaker", "clip"], ignore_index=True)
    expected = train_test_split(table["clip"], test_size=0.2, random_state=1)[1]
    shuffled = table.sample(frac=1, random_state=5)
    (fold,) = splits.make(shuffled, "seed-split")
    assert set(shuffled["clip"].iloc[fold.test]) == set(expected)
    assert len(splits.make(shuffled, "seed-split")) == 1


def test_random_folds_are_stratified():
    table = made_up()
    for fold in splits.make(table, "random4"):
        assert table["emotion"].iloc[fold.test].value_counts().tolist() == [16] * 4


def test_speaker_folds_balance_classes_that_speakers_do_not():
    table = made_up(speakers=12)
    odd = table["speaker"].astype(int) % 2 == 1
    table = table[~(odd & (table["emotion"] == "sad"))].reset_index(drop=True)
    for fold in splits.make(table, "group3"):
        share = table["emotion"].iloc[fold.test].eq("sad").mean()
        assert share == pytest.approx(table["emotion"].eq("sad").mean(), abs=0.03)


def test_leave_one_speaker_out_goes_by_name():
    table = made_up()
    split = splits.make(table, "loso")
    tested = [table["speaker"].iloc[fold.test].unique().tolist() for fold in split]
    assert tested == [[f"{n:02d}"] for n in range(8)]
    assert "8 speakers" in split.title


def test_many_sentences_are_grouped():
    split = splits.make(made_up(speakers=2, sentences=24), "text")
    assert len(split) == 10
    assert "10 sentence-disjoint folds" in split.title
    assert "leave one sentence out" in splits.make(made_up(), "text").title


def test_validation_is_speaker_disjoint_and_comes_out_of_training():
    table = made_up()
    before = splits.make(table, "group4")
    after = splits.with_validation(before, table, share=0.34)
    assert after.name == before.name
    assert after.speaker_disjoint
    for old, new in zip(before, after, strict=True):
        assert sorted([*new.train, *new.validation]) == old.train.tolist()
        assert new.test.tolist() == old.test.tolist()
        speakers = [set(table["speaker"].iloc[rows]) for rows in (new.train, new.validation, new.test)]
        assert not speakers[0] & speakers[1]
        assert not speakers[1] & speakers[2]
        assert len(speakers[1]) == 2
    again = splits.with_validation(after, table, share=0.34)
    assert [f.validation.tolist() for f in again] == [f.validation.tolist() for f in after]
    with pytest.raises(SplitError, match=r"share of 0\.9"):
        splits.with_validation(before, table, share=0.9)


def test_a_fifth_of_the_speakers_or_a_twentieth_of_the_clips_validate_and_seed_decides_which():
    table = made_up(speakers=11)
    split = splits.make(table, "loso")
    speakers, clips = splits.with_validation(split, table), splits.with_random_validation(split, table)
    for by_speaker, by_clip in zip(speakers, clips, strict=True):
        assert table["speaker"].iloc[by_speaker.validation].nunique() == 2
        assert by_clip.validation.size == 320 / 20
    for carve, first in ((splits.with_validation, speakers), (splits.with_random_validation, clips)):
        other = carve(split, table, seed=1)
        assert any(set(a.validation) != set(b.validation) for a, b in zip(first, other, strict=True))


@pytest.mark.parametrize(
    ("change", "protocol", "message"),
    [
        ({}, "by-moon", "unknown protocol 'by-moon'.*'loso'.*'text'"),
        ({"speaker": "me"}, "loso", "at least 2 different values of speaker, not \\['me'\\]"),
        ({"speaker": "me"}, "group2", "at least 2 different values of speaker"),
        ({}, "group9", "9 speaker-disjoint folds of 8 speakers: use 2 to 8"),
        ({}, "group1", "1 speaker-disjoint folds"),
        ({}, "random1", "K must be at least 2"),
        ({}, "random99", "at most 64, the rarest class"),
        ({}, "clips0", "must lie between 0 and 1"),
        ({"sentence": pd.NA}, "text", "no sentence column"),
        ({"sentence": None}, "speaker-text", "no sentence column"),
        ({"sentence": "one"}, "text", "at least 2 different values of sentence"),
    ],
)
def test_impossible_requests_say_why(change, protocol, message):
    with pytest.raises(SplitError, match=message):
        splits.make(made_up().assign(**change), protocol)


def test_missing_column_and_missing_value_are_named():
    table = made_up()
    with pytest.raises(SplitError, match="no sentence column"):
        splits.make(table.drop(columns="sentence"), "text")
    table.loc[7, "speaker"] = None
    with pytest.raises(SplitError, match=f"clip {table['clip'][7]} has no speaker"):
        splits.make(table, "loso")
    with pytest.raises(SplitError, match="at least two clips"):
        splits.make(table.head(1), "seed-split")


def test_published_folds_only_for_the_corpus_they_were_published_for():
    with pytest.raises(SplitError, match=r"emobox6 has no folds of .made-up.*loso"):
        splits.make(made_up(), "emobox6")


def test_published_folds_are_those_of_emobox():
    rows = [(f"{s:02d}{e}", f"{s:02d}", e, "ravdess") for s in range(1, 25) for e in EMOTIONS]
    table = pd.DataFrame(rows, columns=["clip", "speaker", "emotion", "corpus"])
    split = splits.make(table, "emobox6")
    tested = [sorted(set(table["speaker"].iloc[fold.test].astype(int))) for fold in split]
    # Read off the lists of test clips that EmoBox publishes, data/ravdess/fold_1 to fold_6.
    assert tested == [
        [1, 11, 20, 21],
        [4, 10, 12, 14],
        [8, 9, 19, 23],
        [3, 5, 7, 24],
        [2, 15, 16, 18],
        [6, 13, 17, 22],
    ]
    assert split.speaker_disjoint
    with pytest.raises(SplitError, match="speakers 24 are in one of the two only"):
        splits.make(table[table["speaker"] != "24"], "emobox6")


def test_honest_protocol_suits_the_corpus():
    assert splits.honest_protocol(made_up(speakers=10)) == "loso"
    assert splits.honest_protocol(made_up(speakers=11)) == "group6"
    rows = [(f"{s:02d}", f"{s:02d}", "sad", "ravdess") for s in range(1, 25)]
    table = pd.DataFrame(rows, columns=["clip", "speaker", "emotion", "corpus"])
    assert splits.honest_protocol(table) == "emobox6"
    assert splits.honest_protocol(table.head(23)) == "group6"
    assert repr(splits.make(table, "emobox6").folds[0]) == "Fold(train=20, validation=0, test=4)"


def test_audit_finds_each_kind_of_leak():
    table = made_up()
    digests = table["clip"].to_numpy(copy=True)
    split = splits.make(table, "loso")
    first = split.folds[0]
    digests[first.test[0]] = digests[first.train[0]]
    sources = table["clip"].to_numpy(copy=True)
    sources[first.test[1:4]] = sources[first.train[1]]
    found = splits.audit(table, split, digests=digests, sources=sources)
    assert found.loc[["rows", "clips", "speakers"], "test_clips"].eq(0).all()
    assert found.loc["sentences", ["folds", "of", "test_clips", "share"]].tolist() == [8, 8, len(table), 1]
    # A pair shared between fold 0's test speaker and another speaker leaks in both of their folds.
    assert found.loc["identical audio", ["folds", "test_clips"]].tolist() == [2, 2]
    assert found.loc["augmented copies", ["folds", "test_clips"]].tolist() == [2, 4]
    assert sources[first.train[1]] in found.loc["augmented copies", "examples"]


def test_audit_counts_validation_as_seen_and_says_what_it_cannot_see():
    table = made_up(speakers=4).drop(columns="sentence")
    fold = splits.make(table, "loso").folds[0]
    leaky = splits.Split("x", "x", (splits.Fold(fold.train, fold.test[:3], fold.test),), True)
    found = splits.audit(table, leaky)
    assert found.loc["rows", "test_clips"] == 3
    assert found.loc["speakers", "share"] == 1
    assert found.loc["sentences"].isna()["share"]
    assert found.loc["identical audio", "examples"] == "not known"
    with pytest.raises(SplitError, match="2 values for 128 rows"):
        splits.audit(table, leaky, digests=["a", "b"])


def test_what_is_missing_is_shared_by_nobody():
    table = made_up(speakers=4, sentences=2, repeats=1)
    split = splits.make(table, "loso")
    # Of speaker 00's eight clips four say sentence s0, which one other clip says; of all others nobody knows.
    others = table.index[(table["speaker"] != "00") & (table["sentence"] == "s0")]
    table["sentence"] = table["sentence"].where(table["sentence"] == "s0")
    table.loc[others[1:], "sentence"] = None
    found = splits.audit(table, split).loc["sentences"]
    assert found[["folds", "test_clips"]].tolist() == [2, 5]
    assert found["share"] == 5 / 32
    assert found["examples"] == "s0"


@pytest.mark.parametrize("seed", range(5))
def test_folds_within_corpora_are_even_in_valence_whatever_the_emotions(seed):
    table = made_up(sentences=1, repeats=1)
    sad_voices = table["speaker"] < "04"
    table = table.assign(valence=np.where(sad_voices, -1.0, 1.0), emotion=table["clip"].str[-1])
    for fold in splits.corpus_folds(table, 4, seed):
        assert table["valence"].iloc[fold.test].mean() == 0


def test_the_original_hold_out_is_any_draw_of_speakers_however_unlike():
    table = made_up(speakers=10)
    odd = table["speaker"] < "05"
    table = table[~(odd & (table["emotion"] == "sad"))].reset_index(drop=True)
    found = set()
    for seed in range(10):
        (fold,) = splits.original_hold_out(table, 0.4, seed)
        tested = table["speaker"].iloc[fold.test].drop_duplicates()
        assert len(tested) == 4
        found.add(int((tested < "05").sum()))
    assert len(found) > 1, "the best of many draws would have two of either kind"


@pytest.mark.real
def test_ravdess_sizes():
    table = real_corpus("ravdess")
    (fold,) = splits.make(table, "seed-split")
    assert (fold.train.size, fold.test.size) == (1152, 288)
    assert [f.test.size for f in splits.make(table, "emobox6")] == [240] * 6


def six_and_more():
    """Clips in the six emotions of CREMA-D and in one more."""
    rows = [
        (f"{speaker}-{emotion}-{take}", f"s{speaker}", emotion)
        for speaker in range(10)
        for emotion in (*splits.SIX_EMOTIONS, "calm")
        for take in range(2)
    ]
    return pd.DataFrame(rows, columns=["clip", "speaker", "emotion"])


def test_clips_are_held_out_evenly_whoever_speaks():
    table = made_up(speakers=10)
    (fold,) = splits.make(table, "clips30")
    assert fold.test.size == 0.3 * len(table)
    assert table["emotion"].iloc[fold.test].value_counts().tolist() == [24] * 4
    split = splits.make(table, "clips30")
    assert splits.audit(table, split).loc["speakers", "share"] == 1
    assert "30 % of the clips" in split.title
    other = splits.make(table, "clips30", seed=1).folds[0].test
    assert set(other) != set(fold.test)
    for share in (0, 1):
        with pytest.raises(SplitError, match="must lie between 0 and 1"):
            splits.hold_out_clips(table, share)
    with pytest.raises(SplitError, match="cannot hold out 1 % of 8 clips"):
        splits.make(made_up(speakers=2, sentences=1, repeats=1), "clips1")


def test_random_validation_is_a_part_of_the_training_clips_and_shares_speakers():
    table = made_up(speakers=10)
    before = splits.make(table, "group5")
    for old, new in zip(before, splits.with_random_validation(before, table, 0.25), strict=True):
        assert sorted([*new.train, *new.validation]) == old.train.tolist()
        assert new.test.tolist() == old.test.tolist()
        assert new.validation.size == old.train.size / 4
        assert set(table["speaker"].iloc[new.validation]) <= set(table["speaker"].iloc[new.train])


@pytest.mark.parametrize("carve", [splits.with_validation, splits.with_random_validation])
def test_validation_is_even_in_what_is_learned(carve):
    table = made_up(speakers=10)
    # Each speaker has one mood for all clips: a draw that is even in emotions need not be even in moods.
    table["mood"] = np.where(table["speaker"] < "05", "up", "down")
    split = splits.Split("all", "", (splits.Fold(np.arange(len(table)), *[np.array([], int)] * 2),), True)
    for seed in range(5):
        (fold,) = carve(replace(split, target="mood"), table, 0.2, seed)
        assert table["mood"].iloc[fold.validation].value_counts(normalize=True).tolist() == [0.5, 0.5]


def test_six_emotions_are_asked_for_by_name():
    table = six_and_more()
    table.attrs["corpus"] = "made-up"
    six = splits.six_emotions(table)
    assert len(six) == 120
    assert set(six["emotion"]) == set(splits.SIX_EMOTIONS)
    assert six.index.tolist() == list(range(120))
    assert six.attrs == table.attrs
    split, plain = splits.make(six, "six-group5"), splits.make(six, "group5")
    assert (split.name, split.speaker_disjoint) == ("six-group5", True)
    assert split.title == f"six emotions, {plain.title}"
    assert [fold.test.tolist() for fold in split] == [fold.test.tolist() for fold in plain]
    assert not splits.make(six, "six-clips30").speaker_disjoint
    with pytest.raises(SplitError, match="the table has calm too: take six_emotions"):
        splits.make(table, "six-group5")
    with pytest.raises(SplitError, match="fewer than two"):
        splits.six_emotions(table[table["emotion"] == "calm"])


MAKERS = {
    **{
        name: lambda table, name=name: splits.make(table, name)
        for name in ("loso", "group2", "seed-split", "text", "speaker-text")
    },
    "validation": lambda table: splits.with_validation(splits.make(table, "loso"), table),
    "clips": splits.hold_out_clips,
    "random": lambda table: splits.random_folds(table, 2),
    "across": lambda table: splits.across(table, "x", "y"),
    "loco": lambda table: splits.leave_one_out(table, "corpus"),
    "corpora": lambda table: splits.corpus_folds(table, 2),
    "original": lambda table: splits.original_hold_out(table, 0.4),
    "six": lambda table: splits.make(table, "six-loso"),
}


def small():
    rows = [(s, e, t) for s in ("ann", "bob", "cy", "dee") for e in ("sad", "happy") for t in "12"]
    table = pd.DataFrame(rows, columns=["speaker", "emotion", "sentence"])
    table["corpus"] = np.where(table["speaker"].isin(["ann", "bob"]), "x", "y")
    return table.assign(clip=[f"{row}.wav" for row in range(len(table))], language=table["corpus"])


@pytest.mark.parametrize("name", MAKERS)
@pytest.mark.parametrize(
    "change",
    [
        lambda table: table.sample(frac=1, random_state=0),
        lambda table: table.sort_values("emotion"),
        lambda table: table[table["emotion"] == "sad"],
        lambda table: table.drop(index=0),
        lambda table: pd.concat([table, table.assign(clip=table["clip"] + "x")]),
    ],
)
def test_a_split_is_of_the_table_that_it_was_made_for(name, change):
    table = small()
    split = MAKERS[name](table)
    splits.check(split, table)
    splits.check(split, table.set_index("clip", drop=False))
    for use in (splits.check, lambda split, table: splits.audit(table, split), splits.with_validation):
        with pytest.raises(SplitError, match="another table"):
            use(split, change(table))


def by_hand(train, test, validation=(), disjoint=True):
    rows = [np.array(one, int) for one in (train, validation, test)]
    return splits.Split("mine", "my own", (splits.Fold(*rows),), disjoint)


@pytest.mark.parametrize(
    ("split", "message"),
    [
        (by_hand([0, 1], [4, 16]), "test rows of fold 0 .* table of 16 rows"),
        (by_hand([-1, 1], [4]), "train rows"),
        (by_hand([0, 1], [1, 4]), "row 1 is both trained on and tested"),
        (by_hand([0, 1], [1, 4], disjoint=False), "row 1 is both trained on and tested"),
        (by_hand([0, 1], [4], [1]), "row 1 is both trained on and validated with"),
        (by_hand([0, 1], [2, 4]), "'my own' says .* speaker ann is"),
        (by_hand([0, 1], [4], [5]), "'my own' says .* speaker bob is"),
        (by_hand([], [4]), "no rows for training"),
        (by_hand([0], []), "none for testing"),
        (splits.Split("x", "x", (splits.Fold(*[np.zeros(16, bool)] * 3),), True), "not row numbers"),
    ],
)
def test_splits_written_by_hand_are_looked_at_too(split, message):
    with pytest.raises(SplitError, match=message):
        splits.check(split, small())


def test_sound_splits_by_hand_and_a_peek_at_test_rows_pass():
    splits.check(by_hand([0, 1], [4, 5], [8]), small())
    splits.check(by_hand([0, 1], [4, 5], [4, 5]), small())
    splits.check(by_hand([0, 1], [2, 3], disjoint=False), small())


def test_speakers_are_compared_by_the_table_given():
    table = small()
    split = splits.make(table, "loso")
    one = table.assign(speaker=table["speaker"].replace({"bob": "ann"}))
    with pytest.raises(SplitError, match="speaker ann is"):
        splits.check(split, one)
    splits.check(splits.make(table, "random2"), one)


@pytest.mark.parametrize("protocol", ["random2", "group2", "loso"])
def test_a_clip_that_is_there_twice_is_refused(protocol):
    table = pd.DataFrame({"clip": list("abcdefgh"), "speaker": list("11223344")})
    table["emotion"] = ["sad", "happy"] * 4
    with pytest.raises(SplitError, match="clip a is in the table twice"):
        splits.make(pd.concat([table, table], ignore_index=True), protocol)


@pytest.mark.parametrize(
    "name", ["seed-split", "random2", "group2", "loso", "text", "speaker-text", "clips30"]
)
@pytest.mark.parametrize("task", ["emotions", "six"])
def test_a_protocol_says_what_its_split_is(name, task):
    asked = splits.get(name if task == "emotions" else f"six-{name}")
    table = asked.prepare(made_up())
    split = asked.split(table)
    assert (asked.six, asked.name, asked.target) == (task == "six", split.name, split.target)
    assert asked.speaker_disjoint == split.speaker_disjoint
    assert split.title.startswith("six emotions, ") == (task == "six")
    tested = [set(table["speaker"].iloc[fold.test]) for fold in split]
    assert asked.tests_every_clip == (sum(fold.test.size for fold in split) == len(table))
    if len(split) > 1:
        assert asked.tests_speakers_at_once == (sum(map(len, tested)) == len(set.union(*tested)))


@pytest.mark.parametrize(
    "name", ["six-ternary", "six-six-loso", "group", "loso2", "TASK", "groupK", "group²"]
)
def test_what_only_looks_like_a_protocol_is_refused(name):
    with pytest.raises(SplitError, match="unknown protocol"):
        splits.get(name)


@pytest.mark.parametrize(
    "call",
    [
        lambda table: splits.audit(table, "loso"),
        lambda table: splits.with_validation("loso", table),
        lambda table: splits.get(5),
        lambda table: splits.make(table, None),
    ],
)
def test_names_in_place_of_splits_and_numbers_in_place_of_names_are_refused(call):
    with pytest.raises(SplitError, match=r"serlab\.splits\.make|named by a word"):
        call(made_up())


def test_speakers_of_mixed_types_are_split():
    table = made_up()
    table["speaker"] = [int(s) if s < "04" else s for s in table["speaker"]]
    assert len(splits.make(table, "loso")) == 8
