"""EmoDB, the Berlin Database of Emotional Speech, in three forms that must not be mixed up."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path, PurePosixPath

import pandas as pd

from serlab.corpora.record import Record, Remote, read_manifest
from serlab.errors import CorpusError

_STEM = re.compile(r"(03|08|09|1[0-6])([ab]\d\d)([WLEAFTN])[a-z]?")
_LETTERS = {
    "W": "angry",
    "L": "bored",
    "E": "disgust",
    "A": "fearful",
    "F": "happy",
    "T": "sad",
    "N": "neutral",
}
_WOMEN = {"08", "09", "13", "14", "16"}
_CUT = 2.0


def parse(stem: str) -> dict | None:
    """Read an EmoDB name: speaker, text, emotion's German initial, version.

    Examples
    --------
    >>> parse("03a01Fa")["emotion"], parse("03a01Wa")["emotion"]
    ('happy', 'angry')
    """
    match = _STEM.fullmatch(stem)
    if match is None:
        return None
    speaker, sentence, letter = match.groups()
    return {
        "speaker": speaker,
        "gender": "female" if speaker in _WOMEN else "male",
        "emotion": _LETTERS[letter],
        "sentence": sentence,
    }


def recognition(folder: Path | str) -> pd.DataFrame:
    """Read how many of the listeners recognised each clip, and how many found it natural.

    The makers of EmoDB played their recordings to 20 to 30 listeners, and keep in the usual version
    those that most of them recognised and found natural. They heard whole clips: where a copy holds only
    their first seconds, people were not asked about these.

    Parameters
    ----------
    folder : path
        A folder that holds ``erkennung.txt``, as EmoDB's does: ``corpora.find("emodb")``.

    Returns
    -------
    DataFrame
        One row per clip, its name in the index, and columns ``recognised`` and ``natural``, shares from 0 to
        1. More clips than the usual version has.

    Raises
    ------
    CorpusError
        If there is no such file, or a line of it cannot be read.

    References
    ----------
    Burkhardt, Paeschke, Rolfes, Sendlmeier & Weiss 2005, A database of German emotional speech, Interspeech.
    """
    file = Path(folder) / "erkennung.txt"
    if not file.is_file():
        raise CorpusError(
            f"{file} is not there: copies of EmoDB hold it beside the folder wav, and the official download "
            'has it too. Run serlab.fetch("emodb"), or add the file.'
        )
    # Windows' German: decimal commas, and cells filled up with hard blanks, which strip() takes off.
    lines = file.read_text(encoding="iso-8859-1").splitlines()[1:]
    rows = {}
    for number, line in enumerate(lines, 2):
        if not line.strip():
            continue
        try:
            _, name, *shares = (cell.strip() for cell in line.split("\t"))
            recognised, natural = (float(share.replace(",", ".")) / 100 for share in shares)
        except ValueError as error:
            raise CorpusError(
                f"{file}, line {number}: {line.strip()!r} is not a number, a clip and two shares, with tabs "
                "between them. Take the file of the official download."
            ) from error
        rows[name.removesuffix(".wav")] = (recognised, natural)
    columns = ["recognised", "natural"]
    return pd.DataFrame.from_dict(rows, orient="index", columns=columns).rename_axis("clip").sort_index()


def whole_seconds() -> pd.Series:
    """Give how long each of the 535 clips is as published, in seconds, from the sizes of the official files.

    For copies that hold only beginnings.

    Examples
    --------
    >>> round(float(whole_seconds()["03a01Fa"]), 2)
    1.9
    """
    bytes_per_second, header = 2 * 16000, 44
    seconds = {
        PurePosixPath(path).stem: (size - header) / bytes_per_second
        for path, (_, size) in RECORD.manifest.items()
    }
    return pd.Series(seconds, name="seconds").rename_axis("clip").sort_index()


def check_whole(table: pd.DataFrame) -> None:
    """Refuse clips that were cut to their first seconds."""
    if len(table) and table["duration"].max() <= _CUT + 0.01:
        raise CorpusError(
            f"No clip in {_place(table)} is longer than {_CUT:g} s: these are beginnings of EmoDB's clips, "
            'which last up to 9 s. Name the folder emodb_first2s and use the name "emodb_first2s".'
        )


def check_cut(table: pd.DataFrame) -> None:
    """Refuse whole clips where only their first seconds are promised."""
    if len(table) and table["duration"].max() > _CUT + 0.01:
        longest = table.loc[table["duration"].idxmax()]
        raise CorpusError(
            f"{longest['path']} lasts {longest['duration']:.2f} s: these are whole clips, not the first "
            f'{_CUT:g} s. Name the folder emodb and use "emodb".'
        )


def _place(table: pd.DataFrame) -> str:
    return str(table["path"].iloc[0]).rpartition("/")[0] or "the folder"


_SENTENCES = {
    "a01": "Der Lappen liegt auf dem Eisschrank.",
    "a02": "Das will sie am Mittwoch abgeben.",
    "a04": "Heute abend könnte ich es ihm sagen.",
    "a05": "Das schwarze Stück Papier befindet sich da oben neben dem Holzstück.",
    "a07": "In sieben Stunden wird es soweit sein.",
    "b01": "Was sind denn das für Tüten, die da unter dem Tisch stehen?",
    "b02": "Sie haben es gerade hochgetragen und jetzt gehen sie wieder runter.",
    "b03": "An den Wochenenden bin ich jetzt immer nach Hause gefahren und habe Agnes besucht.",
    "b09": "Ich will das eben wegbringen und dann mit Karl was trinken gehen.",
    "b10": "Die wird auf dem Platz sein, wo wir sie immer hinlegen.",
}

RECORD = Record(
    name="emodb",
    title="EmoDB",
    description=(
        "The Berlin Database of Emotional Speech, in its usual form: the 535 clips whose emotion at "
        "least 80 % of the listeners recognised and that 60 % found natural. "
        "Ten actors (5 women, 5 men) say ten sentences in seven emotions. "
        "16 kHz, 16 bit."
    ),
    language="German",
    licence="CC0 1.0",
    licence_url="https://creativecommons.org/publicdomain/zero/1.0/",
    licence_source="README of github.com/audeering/emodb, read November 2026",
    citation_key="burkhardt2005emodb",
    citation="""@inproceedings{burkhardt2005emodb,
  author    = {Burkhardt, Felix and Paeschke, Astrid and Rolfes, Miriam and Sendlmeier, Walter F. and
               Weiss, Benjamin},
  title     = {A Database of {German} Emotional Speech},
  booktitle = {Proceedings of Interspeech 2005},
  pages     = {1517--1520},
  year      = {2005},
  doi       = {10.21437/Interspeech.2005-446}
}""",
    homepage="http://emodb.bilderbar.info/",
    clips=535,
    speakers=("03", "08", "09", "10", "11", "12", "13", "14", "15", "16"),
    classes={"neutral": 79, "happy": 71, "sad": 62, "angry": 127, "fearful": 69, "disgust": 46, "bored": 81},
    parse=parse,
    # The makers publish no checksum: each clip is compared with the manifest instead.
    remotes=(Remote(url="http://emodb.bilderbar.info/download/download.zip", filename="download.zip"),),
    manifest=read_manifest("emodb.tsv"),
    check=check_whole,
    folder=r"(berlin)?emodb(v?1\d*)?|berlin(emotional)?(speech)?database.*|download",
    clip_folder="wav",
    sentences=_SENTENCES,
    notes=(
        "Two versions exist: 535 clips (1.x, this one, used by nearly every paper) and 816 clips (2.0).",
        "Classes are uneven: 46 disgust to 127 angry; report the mean recall of classes, not accuracy alone.",
        "The ten sentences are shared by all speakers.",
        "EmoBox's folds for EmoDB share all speakers between training and test: leave one speaker out.",
    ),
)

VERSION_2 = replace(
    RECORD,
    name="emodb2",
    title="EmoDB 2",
    description=(
        "Version 2 of the Berlin Database of Emotional Speech: all 816 recordings, with the 281 that too few "
        "listeners recognised. Harder than the usual 535 clips; figures on the two cannot be compared."
    ),
    clips=816,
    classes={
        "neutral": 104,
        "happy": 115,
        "sad": 121,
        "angry": 137,
        "fearful": 122,
        "disgust": 105,
        "bored": 112,
    },
    homepage="https://github.com/audeering/emodb",
    remotes=(),
    source='Load version 2.0.0 of "emodb" with the Python package audb, and set SERLAB_DATA to its folder.',
    manifest=read_manifest("emodb2.tsv"),
    folder=r"(berlin)?emodb(v?2\d*|816)|(berlin)?emodb",
    notes=(
        "Holds the 535 clips of EmoDB 1 and 281 more; name the version beside every figure.",
        "Published through audb; copies may also hold laryngograms, which are no speech.",
    ),
)

FIRST_2S = replace(
    RECORD,
    name="emodb_first2s",
    title="EmoDB (first 2 s)",
    description=(
        "The first two seconds of each of EmoDB's 535 clips, peak-normalised: 126 clips are whole, 409 cut. "
        "A stand-in for tests; figures on it are not figures on EmoDB."
    ),
    remotes=(),
    source="There is no official copy: it is made by cutting EmoDB's clips, in a folder named emodb_first2s.",
    check=check_cut,
    folder=r"(berlin)?emodbfirst2s",
    notes=("Loudness between clips is gone, because each was normalised to its own peak.", *RECORD.notes[1:]),
)
