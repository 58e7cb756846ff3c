"""What tables call emotions, people and columns: words for one thing, and two spellings of one name."""

import re
import tomllib
import unicodedata
from collections.abc import Iterable, Sequence
from functools import cache
from itertools import chain
from pathlib import Path

_DATA = tomllib.loads(Path(__file__).with_suffix(".toml").read_text(encoding="utf-8"))

SPELLINGS: dict[str, list[str]] = _DATA["emotions"]
"""Emotion to other usual words for it, and the codes of well-known corpora that can mean nothing else.

They are those of SAVEE, TESS, CREMA-D, IEMOCAP, MELD, EmoDB (in German), CaFE (in French), EMOVO (in
Italian), MESD (in Spanish), ESD and CASIA (in Chinese). Case, blanks and signs between words do not count.
TESS calls its surprise pleasant; that is surprise here, as in other corpora.
"""

OTHERS: dict[str, str] = _DATA["other_emotions"]
"""Codes and nouns of IEMOCAP to words that are no emotion of serlab; they stay classes of their own."""

HEADERS: dict[str, list[str]] = _DATA["headers"]
"""Column of the utterance table to the headers that are read for it, the first that is there, in any case."""

GENDERS = {word: gender for gender, others in _DATA["genders"].items() for word in others}
_MISSING = frozenset(_DATA["missing"]["words"])

# Letters of other alphabets that look like Latin ones, small or as capitals, and come from another keyboard.
_LOOK = str.maketrans("авекмнорстухіјѕ" + "αβεηικμνορτυχ", "abekmhopctyxijs" + "abehikmvoptyx")
_LEADING_ZEROS = re.compile(r"(?<![\d.,])0+(?=\d)")
_QUOTES = "'’‘ʼ`´" + '"“”„«»'


def _one_of(*words: list[str]) -> str:
    return f"(?:{'|'.join(chain(*words))})"


# A whole header without blanks and signs, and one word of a header.
_ALONE, _PAIRED = {}, {}
for _side in ("begin", "end"):
    _parts, _words = _DATA["parts"], _DATA["parts"][_side]
    _ALONE[_side] = re.compile(
        f"{_one_of(_parts['before'])}?{_one_of(_words['stem'], _words['alone'])}"
        f"{_one_of(_parts['after'])}?{_one_of(_parts['unit'])}?"
    )
    _PAIRED[_side] = re.compile(rf"{_one_of(_words['stem'])}.*|{_one_of(_words['paired'])}")


def normalise(name: str) -> str:
    r"""Reduce a name to what tells it from other names.

    Case, Unicode form, invisible characters, quotes, blanks, hyphens and underscores, zeros in front
    of a number and decimals of a whole one do not, nor whether an A is Latin, Greek or Cyrillic.

    Examples
    --------
    >>> [normalise(name) for name in ("Ada", " ADA\u200b", "Speaker_01", "speaker 1.0", "1-1")]
    ['ada', 'ada', 'speaker1', 'speaker1', '1 1']
    """
    if name.isalnum() and name.isascii():
        return _LEADING_ZEROS.sub("", name.lower())
    text = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", name).casefold()).translate(_LOOK)
    text = "".join(map(_sign, text)).strip()
    text = _LEADING_ZEROS.sub("", re.sub(r"(?<=\d)[.,]0*$", "", text))
    # Between two numbers a separator counts: 1-1 is not 11.
    return re.sub(r"(?<!\d) +| +(?!\d)", "", re.sub(r"(?<=\d) +(?=\d)", " ", text))


@cache
def _sign(character: str) -> str:
    category = unicodedata.category(character)
    if category[0] == "Z" or category in ("Pd", "Pc") or character.isspace():
        return " "
    return "" if category in ("Cf", "Cc") or character in _QUOTES else character


_EMOTIONS = {normalise(word): emotion for emotion, others in SPELLINGS.items() for word in (emotion, *others)}
_EMOTIONS |= {normalise(word): emotion for word, emotion in OTHERS.items()}


def to_emotion(label: str) -> str:
    """Turn a usual word for an emotion into that of `serlab.corpora.EMOTIONS`; other labels stay as they are.

    Examples
    --------
    >>> to_emotion("Pleasant_Surprise"), to_emotion("FEA"), to_emotion("amused")
    ('surprised', 'fearful', 'amused')
    """
    return _EMOTIONS.get(normalise(label), label)


def is_missing(text: str) -> bool:
    """Say whether a cell reads like a value that is not there: "NaN" does, "Nan Hao" does not."""
    return text.lower() in _MISSING


def why_no_label(label: str) -> str:
    """Say why a label cannot be an emotion: it "is a number"; or return ""."""
    if is_missing(label):
        return "reads like a label that is not there"
    if not any(character.isalpha() for character in label):
        return "is a number" if any(character.isdigit() for character in label) else "is no word"
    short = normalise(label)
    # A single character can be a word, but not in alphabets that have capital letters.
    return "is a single letter" if len(short) == 1 and unicodedata.category(short) == "Ll" else ""


def other_spellings(names: Iterable[str]) -> dict[str, str]:
    """Map each name that seems to be an earlier one in another spelling to that one.

    Examples
    --------
    >>> other_spellings(["Ada", "Bo", "ADA", "ada "])
    {'ADA': 'Ada', 'ada ': 'Ada'}
    """
    first: dict[str, str] = {}
    return {name: first[key] for name in names if first.setdefault(key := normalise(name), name) != name}


def misread(text: str) -> str:
    """Return what a text was before its UTF-8 was taken for Latin-1 ("Zoë" for "ZoÃ«"), or ""."""
    for encoding in () if text.isascii() else ("cp1252", "latin-1"):
        try:
            return text.encode(encoding).decode()
        except UnicodeError:
            continue
    return ""


def quote(name: str) -> str:
    """Write a name in quotes, with signs that cannot be seen or told apart written out."""
    visible = all(c == " " or unicodedata.category(c)[0] not in "ZCM" for c in name)
    usual = visible and unicodedata.is_normalized("NFKC", name) and "  " not in name
    return repr(name) if usual else ascii(name)


def columns_of_parts(header: Sequence[str]) -> list[str]:
    """Return the columns that say which part of a file a row means; all names are in lower case.

    Examples
    --------
    >>> columns_of_parts(["file", "segment_start_ms"]), columns_of_parts(["von", "bis"])
    (['segment_start_ms'], ['von', 'bis'])
    """
    closed = {name: re.sub(r"[\W_]", "", name) for name in header}
    alone = {side: [n for n in header if pattern.fullmatch(closed[n])] for side, pattern in _ALONE.items()}
    found = alone["begin"] + alone["end"]
    if alone["begin"]:
        found += [name for name in header if name in _DATA["parts"]["length"]]
    words = {name: re.findall(r"[^\W\d_]+", name) for name in header}
    paired = {
        side: [name for name in header if any(map(pattern.fullmatch, words[name]))]
        for side, pattern in _PAIRED.items()
    }
    if paired["begin"] and paired["end"]:
        found += paired["begin"] + paired["end"]
    return [name for name in header if name in found]
