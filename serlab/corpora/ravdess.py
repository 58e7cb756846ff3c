"""RAVDESS: 24 actors, two statements, eight emotions, in North American English."""

from __future__ import annotations

from serlab.corpora.record import Record, Remote, name_parser, read_citation, read_manifest

_SPEAKERS = tuple(f"{actor:02d}" for actor in range(1, 25))
_EMOTIONS = ("neutral", "calm", "happy", "sad", "angry", "fearful", "disgust", "surprised")
# Which four actors are tested in each of the six folds; the other twenty are for training.
_EMOBOX = ((1, 11, 20, 21), (4, 10, 12, 14), (8, 9, 19, 23), (3, 5, 7, 24), (2, 15, 16, 18), (6, 13, 17, 22))

RECORD = Record(
    name="ravdess",
    title="RAVDESS",
    description=(
        "Speech part of the Ryerson Audio-Visual Database of Emotional Speech and Song, audio only: "
        "24 professional actors (12 women, 12 men) say two statements in eight emotions, each twice "
        "and, save for neutral, at two intensities. 48 kHz, 16 bit."
    ),
    language="English",
    licence="CC BY-NC-SA 4.0",
    licence_url="https://creativecommons.org/licenses/by-nc-sa/4.0/",
    licence_source="licence field of Zenodo record 1188976, as of November 2026",
    citation_key="livingstone2018ravdess",
    citation=read_citation("livingstone2018ravdess"),
    homepage="https://zenodo.org/records/1188976",
    clips=1440,
    speakers=_SPEAKERS,
    classes={emotion: 96 if emotion == "neutral" else 192 for emotion in _EMOTIONS},
    # Modality, channel, emotion, intensity, statement, repetition, actor: 03-01 is speech without video.
    parse=name_parser(
        r"03-01-(?P<emotion>\d\d)-(?P<intensity>\d\d)-(?P<sentence>0[12])-0[12]-(?P<speaker>\d\d)",
        genders={actor: "male" if int(actor) % 2 else "female" for actor in _SPEAKERS},
        emotion={f"{code:02d}": emotion for code, emotion in enumerate(_EMOTIONS, 1)},
        intensity={"01": "normal", "02": "strong"},
    ),
    remotes=(
        Remote(
            url="https://zenodo.org/records/1188976/files/Audio_Speech_Actors_01-24.zip?download=1",
            filename="Audio_Speech_Actors_01-24.zip",
            size=208_468_073,
            checksum="md5:bc696df654c87fed845eb13823edef8a",
        ),
    ),
    manifest=read_manifest("ravdess.tsv"),
    folder=r"ravdess.*|audiospeechactors0124",
    inner=r"ravdess.*|audiospeechactors0124",
    clip_folder=r"actor\d\d",
    sentences={"01": "Kids are talking by the door.", "02": "Dogs are sitting by the door."},
    folds={"emobox6": [[f"{actor:02d}" for actor in actors] for actors in _EMOBOX]},
    notes=(
        "Neutral has no strong intensity: 96 clips, against 192 of every other emotion.",
        "All actors say the same two statements, so that text is shared even between disjoint speakers.",
        "Copies on Kaggle can hold every actor folder twice (2880 files).",
        "Two clips of actor 07 are identical in every published copy: "
        "03-01-03-01-02-01-07 and 03-01-03-01-02-02-07.",
        "Five official files are stereo with equal channels.",
        "The sound of the video files (names beginning 01-) is that of the audio-only files: "
        "using both doubles the corpus.",
        "Some dataset cards name other licences (CC BY 4.0); the official record says CC BY-NC-SA 4.0, "
        "though its text also speaks of a Creative Commons Attribution licence.",
    ),
)
