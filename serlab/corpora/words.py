"""What tables call emotions and people: other words for one emotion, and two spellings of one name."""

from __future__ import annotations

import re
import unicodedata
from functools import cache

from serlab.corpora.table import EMOTIONS

SPELLINGS = {
    "neutral": ("neutrality", "neu", "normal", "neutre", "neutro", "neutrale", "中立"),
    "calm": ("calmness", "cal", "relaxed", "ruhig"),
    "happy": (
        *(
            "happiness",
            "hap",
            "joy",
            "joyful",
            "joyous",
            "freude",
            "fröhlich",
            "glücklich",
            "joie",
            "gioia",
            "gio",
        ),
        *("alegría", "快乐", "高兴"),
    ),
    "sad": (
        *("sadness", "sa", "trauer", "traurig", "traurigkeit", "tristesse", "tristezza", "tri"),
        *("tristeza", "伤心", "悲伤"),
    ),
    "angry": (
        *("anger", "ang", "wut", "wütend", "ärger", "aerger", "ärger (wut)", "colère", "rabbia", "rab"),
        *("ira", "生气", "愤怒"),
    ),
    "fearful": (
        *(
            "fear",
            "fea",
            "afraid",
            "scared",
            "anxiety",
            "anxious",
            "anxiety/fear",
            "angst",
            "ängstlich",
            "peur",
            "paura",
        ),
        *("pau", "miedo", "恐惧", "害怕"),
    ),
    "disgust": ("disgusted", "dis", "ekel", "dégoût", "disgusto", "asco", "厌恶"),
    "surprised": (
        *(
            "surprise",
            "sur",
            "su",
            "ps",
            "pleasant surprise",
            "pleasant surprised",
            "pleasantly surprised",
            "überraschung",
        ),
        *("überrascht", "sorpresa", "sor", "惊喜", "惊讶"),
    ),
    "bored": ("boredom", "bor", "langeweile", "gelangweilt"),
}
"""Emotion to other usual words for it, and the codes of well-known corpora that can mean nothing else.

They are those of SAVEE, TESS, CREMA-D, IEMOCAP, MELD, EmoDB (in German), CaFE (in French), EMOVO (in
Italian), MESD (in Spanish), ESD and CASIA (in Chinese). Case, blanks and signs between words do not count.
TESS calls its surprise pleasant; that is surprise here, as in other corpora.
"""

OTHERS = {"exc": "excited", "excitement": "excited", "fru": "frustrated", "frustration": "frustrated"}
"""Codes and nouns of IEMOCAP to words that are not among `EMOTIONS`: they stay classes of their own."""

MISSING = frozenset(
    ("na", "n/a", "#n/a", "nan", "<na>", "nat", "null", "nil", "none", "missing", "unknown", "undefined")
) | {"xxx", "?", "-", ".", "#value!", "#ref!"}
"""What programs and people write for a value that is not there, in lower case."""

# Letters of other alphabets that look like Latin ones, small or as capitals, and come from another keyboard.
_LOOK = str.maketrans("авекмнорстухіјѕ" + "αβεηικμνορτυχ", "abekmhopctyxijs" + "abehikmvoptyx")
_LEADING_ZEROS = re.compile(r"(?<![\d.,])0+(?=\d)")
_QUOTES = "'’‘ʼ`´" + '"“”„«»'


def plain(name: str) -> str:
    """Reduce a name to what tells it from other names.

    Case, Unicode form, invisible characters, quotes, blanks, hyphens and underscores, zeros in front
    of a number and decimals of a whole one do not, nor whether an A is Latin, Greek or Cyrillic.

    Examples
    --------
    >>> plain("Ada"), plain(" ADA\u200b"), plain("Speaker_01"), plain("speaker 1.0"), plain("1-1")
    ('ada', 'ada', 'speaker1', 'speaker1', '1 1')
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


def is_missing(text: str) -> bool:
    """Say whether a cell reads like a value that is not there.

    Examples
    --------
    >>> is_missing("NaN"), is_missing("Nan Hao")
    (True, False)
    """
    return text.lower() in MISSING


_EMOTION = {plain(word): emotion for emotion in EMOTIONS for word in (emotion, *SPELLINGS[emotion])} | {
    plain(word): emotion for word, emotion in OTHERS.items()
}


def emotion(label: str) -> str:
    """Turn a usual word for an emotion into that of `EMOTIONS`; any other label stays as it is.

    Examples
    --------
    >>> emotion("Pleasant_Surprise"), emotion("FEA"), emotion("amused")
    ('surprised', 'fearful', 'amused')
    """
    return _EMOTION.get(plain(label), label)


def why_no_label(label: str) -> str:
    """Say why a label cannot be an emotion, or return "".

    Examples
    --------
    >>> why_no_label("01"), why_no_label("W"), why_no_label("amused")
    ('is a number', 'is a single letter', '')
    """
    if is_missing(label):
        return "reads like a label that is not there"
    if not any(character.isalpha() for character in label):
        return "is a number" if any(character.isdigit() for character in label) else "is no word"
    short = plain(label)
    # A single character can be a word, but not in alphabets that have capital letters.
    return "is a single letter" if len(short) == 1 and unicodedata.category(short) == "Ll" else ""


def alike(names: list[str]) -> dict[str, str]:
    """Find names that are spelled otherwise than an earlier one but seem to mean the same.

    Parameters
    ----------
    names
        Different names, in the order in which they are met.

    Returns
    -------
    dict
        Each such name to the first that it is like.

    Examples
    --------
    >>> alike(["Ada", "Bo", "ADA", "ada "])
    {'ADA': 'Ada', 'ada ': 'Ada'}
    """
    first: dict[str, str] = {}
    return {name: first[key] for name in names if first.setdefault(key := plain(name), name) != name}


def misread(text: str) -> str:
    """Return what a text was before its UTF-8 was taken for Latin-1, or "" if it never was.

    Examples
    --------
    >>> misread("ZoÃ«"), misread("Zoë")
    ('Zoë', '')
    """
    for encoding in () if text.isascii() else ("cp1252", "latin-1"):
        try:
            return text.encode(encoding).decode()
        except UnicodeError:
            continue
    return ""


def quoted(name: str) -> str:
    r"""Write a name in quotes, with signs that cannot be seen or told apart written out.

    Examples
    --------
    >>> print(quoted("Zoë"), quoted("Ada\u200b"), quoted("Zoe\u0308"))
    'Zoë' 'Ada\u200b' 'Zoe\u0308'
    """
    visible = all(c == " " or unicodedata.category(c)[0] not in "ZCM" for c in name)
    usual = visible and unicodedata.is_normalized("NFKC", name) and "  " not in name
    return repr(name) if usual else ascii(name)
