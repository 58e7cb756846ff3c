"""What the two pages about listening need of Python: the sliders' voice and presets, and the game's answers.

The scripts cues.js and guess.js put sliders and game where a chapter has a div of that class; without them,
and in Colab and Jupyter, the div says in words where to find it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import asdict

import numpy as np
import recorded

from serlab import runs
from serlab.corpora import emodb, synthesis

SPEAKER, SENTENCE, FRAME = "d02", "s1", 0.005  # seconds between two values of a track
SLIDERS = ("f0", "f0_range", "rate", "loudness", "tilt", "breathiness")
# Whose answers stand beside the reader's: the models that these chapters are about.
CHAPTERS = (4, 5, 17)


def cues_data() -> dict:
    """Return voice, phrase and presets of the sliders; times in parts of the phrase, frequencies in Hz."""
    voice = synthesis.voice(SPEAKER)
    habits = asdict(voice.habits)
    plan = synthesis.lay_out(synthesis.SENTENCES[SENTENCE], voice.habits, np.random.default_rng(0))
    times = np.arange(0, plan.seconds, FRAME)
    f0 = synthesis.pitch_track(plan, times, voice.f0, voice.habits, np.random.default_rng(0))
    when, what = zip(*plan.formants, strict=True)
    moving = [np.interp(times, when, track) for track in np.array(what).T]
    fixed = [np.full(len(times), centre) for centre in synthesis.UPPER]
    noises = []
    for start, end, consonant in plan.noises:
        level, centre, bandwidth = consonant["noise"]
        noises.append(
            {
                "start": start / plan.seconds,
                "end": end / plan.seconds,
                "level": level,
                "centre": min(centre * voice.tract**0.5, 7000),
                "bandwidth": bandwidth,
                "burst": "burst" in consonant,
            }
        )
    return {
        "voice": {
            "f0": round(voice.f0, 2),
            "habits": {name: habits[name] for name in ("tilt", "breathiness")},
            "seconds": plan.seconds,
            "amplitude": rounded(np.interp(times, *zip(*plan.amplitude, strict=True)), 3),
            "semitones": rounded(12 * np.log2(f0 / voice.f0), 3),
            "formants": [rounded(np.clip(track * voice.tract, 150, 7700), 0) for track in moving + fixed],
            "bandwidths": rounded(synthesis.BANDWIDTHS * voice.tract, 1),
            "noises": noises,
        },
        "presets": {
            emotion: {name: getattr(cues, name) for name in SLIDERS}
            for emotion, cues in synthesis.CUES.items()
        },
    }


def rounded(values: np.ndarray, digits: int) -> list[float]:
    return np.round(values, digits).tolist()


def guess_data() -> dict:
    """Return what the eight voices are, how many listeners knew it, and what recorded models said."""
    voices = emodb.excerpts()
    others = []
    for chapter in CHAPTERS:
        run = runs.read(emodb.FIRST_2S.name, "loso", recorded.HEADLINES[chapter])
        # Of a model that was trained with several seeds, the first.
        said = run.predictions.sort_values("seed").drop_duplicates("clip").set_index("clip")["predicted"]
        others.append(
            {
                "name": f"{run.meta['title']} (chapter {chapter})",
                "said": said.loc[voices["clip"]].tolist(),
                "uar": run.meta["scores"]["uar"],
            }
        )
    return {
        "emotions": sorted(voices["emotion"].unique()),
        "voices": voices["emotion"].tolist(),
        "recognised": voices["recognised"].tolist(),
        "others": others,
    }


DATA: dict[str, Callable[[], dict]] = {"cues": cues_data, "guess": guess_data}


def fill(app, pagename, templatename, context, doctree) -> None:
    """Give a page with sliders or game their data and their script."""
    for name, data in DATA.items():
        if re.search(rf'<div class="serlab-{name}"', context.get("body", "")):
            script = context["pathto"](f"_static/{name}.js", resource=True)
            # What looks like a tag would end the script.
            text = json.dumps(data(), separators=(",", ":")).replace("<", "\\u003c")
            context["body"] += (
                f'<script type="application/json" id="serlab-{name}-data">{text}</script>\n'
                f'<script type="module" src="{script}"></script>\n'
            )
