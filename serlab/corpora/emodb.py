"""EmoDB, the Berlin Database of Emotional Speech, in three forms that must not be mixed up."""

from pathlib import Path, PurePosixPath

import pandas as pd

from serlab.corpora.record import read_record
from serlab.errors import CorpusError

_CUT = 2.0


def recognition(folder: Path | str) -> pd.DataFrame:
    """Read which share of the listeners recognised each clip, and which found it natural.

    Takes a folder that holds ``erkennung.txt``, as EmoDB's does: ``corpora.find("emodb")``; `CorpusError` if
    there is no such file, or a line of it cannot be read. Gives ``recognised`` and ``natural``, from 0 to 1,
    for each clip, its name in the index: more clips than the usual version has. The 20 to 30 listeners heard
    whole clips.

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


def excerpts() -> pd.DataFrame:
    """Give eight clips that travel with the package: their first two seconds, each scaled to its own peak.

    Eight speakers say one sentence, in seven emotions; one emotion comes twice. They are under CC0, as
    audEERING states it for EmoDB, and the only recorded voices that are there without a corpus. The utterance
    table is numbered from 1, and has ``recognised``: the share of the makers' listeners who recognised the
    emotion of the whole clip.

    Examples
    --------
    >>> excerpts().loc[1, ["clip", "emotion", "speaker"]].tolist()
    ['03a02Wc', 'angry', '03']
    """
    package = Path(__file__).parents[1]
    installed = package / "voices"
    folder = installed if installed.is_dir() else package.parent / "book" / "_static" / "audio"
    table = pd.read_csv(folder / "voices.csv", index_col="number")
    table["path"] = [str(folder / f"voice_{number}.flac") for number in table.index]
    spoken = pd.DataFrame([FIRST_2S.parse(clip) for clip in table["clip"]], index=table.index)
    return table.join(spoken).assign(corpus=FIRST_2S.name, language=FIRST_2S.language)


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


RECORD = read_record("emodb", check=check_whole)
VERSION_2 = read_record("emodb2", check=check_whole)
FIRST_2S = read_record("emodb_first2s", check=check_cut)
