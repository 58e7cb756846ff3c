"""Features in files for other programs: the same numbers come back, by readers that others wrote."""

from __future__ import annotations

import sys

import numpy as np
import pandas as pd
import pytest
from scipy.io import arff

from serlab import features
from serlab.checks import align
from serlab.errors import EvaluationError, FeatureError

NAMES = [
    "F0semitoneFrom27.5Hz_sma3nz_amean",
    "with space",
    "it's",
    'say "x"',
    "a,b",
    "{c}",
    "50%",
    "tönend",
    "?",
]


@pytest.fixture
def clips():
    rng = np.random.default_rng(0)
    table = pd.DataFrame(
        {"clip": ["a b", "c'd", "e,f", "g", "h%"], "speaker": ["ann", "bob, jr", "o'neil"] + ["01"] * 2}
    )
    table["emotion"] = ["sad", "very happy", "sad", "angry", "sad"]
    return table, rng.normal(size=(5, len(NAMES))).astype(np.float32) * 10.0 ** rng.integers(-30, 30, (5, 1))


@pytest.mark.parametrize("kind", [np.float32, np.float64])
@pytest.mark.parametrize("ending", [".csv", ".parquet"])
def test_a_table_comes_back_as_it_was(clips, ending, kind, tmp_path):
    table, X = clips
    X = X.astype(kind)
    path = features.export(tmp_path / "new" / f"x{ending}", table, X, NAMES)
    if ending == ".csv":
        back = pd.read_csv(path, dtype=str)
        back[NAMES] = back[NAMES].astype(kind)
    else:
        back = pd.read_parquet(path)
    assert back.columns.tolist() == ["clip", "speaker", *NAMES, "emotion"]
    assert back[["clip", "speaker", "emotion"]].to_numpy().tolist() == table.to_numpy().tolist()
    assert (back[NAMES].to_numpy(kind) == X).all()
    assert (align(back, table).to_numpy(kind) == X).all()
    assert [one.name for one in path.parent.iterdir()] == [path.name]


def test_scipy_reads_arff(clips, tmp_path):
    table, X = clips
    path = features.export(tmp_path / "x.arff", table, X, NAMES)
    with open(path, encoding="utf-8") as file:
        rows, meta = arff.loadarff(file)
    assert meta.types() == ["nominal", "nominal", *["numeric"] * len(NAMES), "nominal"]
    found = np.column_stack([rows[name] for name in meta.names()[2:-1]])
    assert (found == X).all()
    assert rows["emotion"].astype(str).tolist() == table["emotion"].tolist()


def test_arff_is_quoted_so_that_names_and_values_come_back(clips, tmp_path):
    """liac-arff, which scikit-learn carries, undoes quotes and backslashes by rules of its own."""
    reader = pytest.importorskip("sklearn.externals._arff")
    table, X = clips
    table["speaker"] = ["müller", "tab\there", "line\nbreak", "back\\slash", '"x"']
    found = reader.loads(features.export(tmp_path / "x.arff", table, X, NAMES).read_text(encoding="utf-8"))
    # Of names it takes all quotes from the ends, and leaves backslashes.
    names = [name.replace("\\", "") for name, _ in found["attributes"]]
    assert names == ["clip", "speaker", *(name.strip("\"'") for name in NAMES), "emotion"]
    assert [row[0] for row in found["data"]] == table["clip"].tolist()
    assert [row[1] for row in found["data"]] == table["speaker"].tolist()
    assert found["attributes"][-1][1] == ["sad", "very happy", "angry"]


def test_arff_follows_the_rules_of_weka(clips, tmp_path):
    """weka.core.Utils.quote: what is not plain in single quotes, a backslash before quotes, % and itself."""
    table, X = clips
    lines = features.export(tmp_path / "x.arff", table, X, NAMES).read_text(encoding="utf-8").split("\n")
    kinds = {line.removeprefix("@attribute ").removesuffix(" numeric") for line in lines if "numeric" in line}
    assert kinds >= {NAMES[0], "'with space'", r"'it\'s'", r"'say \"x\"'", "'a,b'", "'{c}'", r"'50\%'", "'?'"}
    assert r"@attribute speaker {ann,'bob, jr','o\'neil',01}" in lines
    assert lines[-2].startswith(r"'h\%',01,")


def test_a_label_of_numbers_is_numeric_and_a_missing_one_a_question_mark(clips, tmp_path):
    table, X = clips
    table = table.assign(
        arousal=[0.25, np.nan, -1.0, 0.5, 2.0], emotion=table["emotion"].where(table.index > 0)
    )
    path = features.export(tmp_path / "x.arff", table, X, label="arousal")
    rows, _ = arff.loadarff(path)
    np.testing.assert_array_equal(rows["arousal"], table["arousal"])
    assert rows.dtype.names[2] == "feature_0"
    text = features.export(tmp_path / "x.arff", table, X).read_text(encoding="utf-8")
    assert text.split("@data\n")[1].split("\n")[0].endswith(",?")


def test_features_of_ones_own_are_put_in_order(clips, tmp_path):
    table, X = clips
    frame = pd.DataFrame(X, index=table["clip"], columns=NAMES)[::-1]
    back = pd.read_csv(features.export(tmp_path / "x.csv", table, frame), index_col="clip")
    assert back.index.tolist() == table["clip"].tolist()
    np.testing.assert_allclose(back[NAMES], X, rtol=1e-12)


@pytest.mark.parametrize(
    ("given", "error", "message"),
    [
        ({"path": "x.xlsx"}, FeatureError, r"must end in \.csv, \.parquet, \.arff"),
        ({"X": np.zeros((5, 3, 4))}, FeatureError, r"shape \(5, 3, 4\).*averages over time"),
        ({"X": np.zeros((4, 9))}, FeatureError, r"must be \(5, features\)"),
        ({"X": np.full((5, 9), np.nan)}, EvaluationError, r"row 0 \(a b\) hold nan"),
        ({"names": NAMES[1:]}, FeatureError, "8 names do not go with 9 features"),
        ({"names": [*NAMES[1:], "it's"]}, FeatureError, 'called "it\'s"'),
        ({"names": [*NAMES[1:], "clip"]}, FeatureError, "called 'clip'"),
        ({"label": "mood"}, FeatureError, "lacks the columns mood"),
    ],
)
def test_what_cannot_be_exported_is_said_and_what_was_there_stays(clips, given, error, message, tmp_path):
    table, X = clips
    path = tmp_path / given.pop("path", "x.arff")
    path.write_text("as it was")
    with pytest.raises(error, match=message):
        features.export(path, **{"table": table, "X": X, "names": NAMES} | given)
    assert path.read_text() == "as it was"


def test_parquet_without_pyarrow_says_how_to_get_it(clips, monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(FeatureError, match=r"serlab\[parquet\]"):
        features.export(tmp_path / "x.parquet", *clips)
    assert list(tmp_path.iterdir()) == []
