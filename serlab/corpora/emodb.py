"""EmoDB, the Berlin Database of Emotional Speech, in three forms that must not be mixed up."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path, PurePosixPath

import pandas as pd

from serlab.corpora.record import Record, Remote, name_parser, read_citation, read_manifest
from serlab.errors import CorpusError

_WOMEN = ("08", "09", "13", "14", "16")
_SPEAKERS = ("03", "08", "09", "10", "11", "12", "13", "14", "15", "16")
_CUT = 2.0


def recognition(folder: Path | str) -> pd.DataFrame:
    """Read how many of the listeners recognised each clip, and how many found it natural.

    Parameters
    ----------
    folder : path
        A folder that holds ``erkennung.txt``, as EmoDB's does: ``corpora.find("emodb")``.

    Returns
    -------
    DataFrame
        One row per clip, its name in the index, and columns ``recognised`` and ``natural``, shares from 0 to
        1. More clips than the usual version has, which keeps what most of the 20 to 30 listeners recognised
        and found natural. They heard whole clips, even where a copy holds only their first seconds.

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
    """Return the seconds of each of the 535 clips as published, from the sizes of the official files.

    Examples
    --------
    >>> round(float(whole_seconds()["03a01Fa"]), 2)
    1.9
    """
    header, bytes_per_second = 44, 2 * 16000
    sizes = pd.Series({PurePosixPath(path).stem: size for path, (_, size) in RECORD.manifest.items()})
    return ((sizes - header) / bytes_per_second).rename("seconds").rename_axis("clip").sort_index()


def check_whole(table: pd.DataFrame) -> None:
    """Refuse clips that were cut to their first seconds."""
    if len(table) and table["duration"].max() <= _CUT + 0.01:
        folder = Path(table["path"].iloc[0]).parent
        raise CorpusError(
            f"No clip in {folder} is longer than {_CUT:g} s: these are beginnings of EmoDB's clips, "
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
    citation=read_citation("burkhardt2005emodb"),
    homepage="http://emodb.bilderbar.info/",
    clips=535,
    speakers=_SPEAKERS,
    classes={"neutral": 79, "happy": 71, "sad": 62, "angry": 127, "fearful": 69, "disgust": 46, "bored": 81},
    # Speaker, text, the emotion's German initial, version.
    parse=name_parser(
        r"(?P<speaker>\d\d)(?P<sentence>[ab]\d\d)(?P<emotion>[A-Z])[a-z]?",
        genders={speaker: "female" if speaker in _WOMEN else "male" for speaker in _SPEAKERS},
        emotion={
            "W": "angry",
            "L": "bored",
            "E": "disgust",
            "A": "fearful",
            "F": "happy",
            "T": "sad",
            "N": "neutral",
        },
    ),
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
