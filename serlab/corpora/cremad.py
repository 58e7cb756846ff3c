"""CREMA-D: 91 actors, twelve sentences, six emotions, in English."""

from __future__ import annotations

from serlab.corpora.record import Record, Remote, name_parser, read_citation, read_manifest

_SENTENCES = {
    "IEO": "It's eleven o'clock.",
    "TIE": "That is exactly what happened.",
    "IOM": "I'm on my way to the meeting.",
    "IWW": "I wonder what this is about.",
    "TAI": "The airplane is almost full.",
    "MTI": "Maybe tomorrow it will be cold.",
    "IWL": "I would like a new alarm clock.",
    "ITH": "I think I have a doctor's appointment.",
    "DFA": "Don't forget a jacket.",
    "ITS": "I think I've seen this before.",
    "TSI": "The surface is slick.",
    "WSI": "We'll stop in a couple of minutes.",
}
_ACTORS = range(1001, 1092)
# The actresses, from VideoDemographics.csv of the official repository; the other actors are men.
_WOMEN = {
    *(1002, 1003, 1004, 1006, 1007, 1008, 1009, 1010, 1012, 1013, 1018, 1020, 1021, 1024, 1025, 1028),
    *(1029, 1030, 1037, 1043, 1046, 1047, 1049, 1052, 1053, 1054, 1055, 1056, 1058, 1060, 1061, 1063),
    *(1072, 1073, 1074, 1075, 1076, 1078, 1079, 1082, 1084, 1089, 1091),
}
# Actors tested in each of the five sessions that EMO-SUPERB published; the others train and validate.
_SESSIONS = ((1037, 1054), (1001, 1018), (1073, 1091), (1055, 1072), (1019, 1036))
_MEDIA = "https://media.githubusercontent.com/media/CheyneyComputerScience/CREMA-D/master/AudioWAV/"


RECORD = Record(
    name="cremad",
    title="CREMA-D",
    description=(
        "Crowd-sourced Emotional Multimodal Actors Dataset: 91 actors (43 women, 48 men; 20 to 74 years old) "
        "say twelve sentences in six emotions, one of the sentences at three intensities. Labels are what "
        "the actors were asked for; from sound alone, listeners heard them in 41 % of the clips. "
        "16 kHz, 16 bit."
    ),
    language="English",
    licence="ODbL 1.0 (contents: DbCL 1.0)",
    licence_url="http://opendatacommons.org/licenses/odbl/1.0/",
    licence_source="LICENSE.txt of github.com/CheyneyComputerScience/CREMA-D, read November 2026",
    citation_key="cao2014cremad",
    citation=read_citation("cao2014cremad"),
    homepage="https://github.com/CheyneyComputerScience/CREMA-D",
    clips=7442,
    speakers=tuple(str(actor) for actor in _ACTORS),
    classes={
        emotion: 1087 if emotion == "neutral" else 1271
        for emotion in ("neutral", "happy", "sad", "angry", "fearful", "disgust")
    },
    parse=name_parser(
        rf"(?P<speaker>\d+)_(?P<sentence>{'|'.join(_SENTENCES)})_(?P<emotion>[A-Z]+)_(?P<intensity>[A-Z]+)",
        genders={str(actor): "female" if actor in _WOMEN else "male" for actor in _ACTORS},
        emotion={
            "ANG": "angry",
            "DIS": "disgust",
            "FEA": "fearful",
            "HAP": "happy",
            "NEU": "neutral",
            "SAD": "sad",
        },
        intensity={"LO": "low", "MD": "medium", "HI": "high", "XX": None},
    ),
    remotes=tuple(
        Remote(_MEDIA + name, f"AudioWAV/{name}", size, f"sha256:{digest}")
        for name, (digest, size) in read_manifest("cremad.tsv").items()
    ),
    manifest=read_manifest("cremad.tsv"),
    # Crema is what a collection of four corpora on Kaggle calls it.
    folder=r"crema(d.*)?",
    inner=r"crema(d.*)?",
    clip_folder=r"audiowav",
    sentences=_SENTENCES,
    folds={"emosuperb5": [[str(actor) for actor in range(first, last + 1)] for first, last in _SESSIONS]},
    silent=frozenset({"1076_MTI_SAD_XX"}),
    notes=(
        "1076_MTI_SAD_XX has no sound in the official copy: leave it out before computing features.",
        "Copies on Kaggle can hold 1040_ITH_SAD_XX under the name 1040_ITH_SAD_X: rename it.",
        "A clone without git-lfs holds small text files (pointers) in place of sound.",
        "Published splits (EmoBox's one fold, HEAR's five) share actors between training and test.",
        "Three pairs of official clips are identical; serlab.validate names them.",
        "Intensity is given for one sentence (IEO) only.",
    ),
)
