"""The model that comes with serlab as one ONNX graph, from samples to answer, for the page that listens.

A browser runs the graph. It computes what `serlab.predict` computes; tests hold the two together.
"""

from __future__ import annotations

import json
import math
import re
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import scipy.signal
from onnx import helper
from onnx_graph import BOOL, INT64, Graph, declared
from safetensors.numpy import load_file

from serlab import models, prediction, sound_files
from serlab.corpora import emodb
from serlab.embeddings import whisper
from serlab.embeddings.base import mel_basis
from serlab.features import Recording, recording
from serlab.models.files import TrainedModel
from serlab.prediction import emotions, familiarity

# ONNX 1.15: the first with GELU.
OPSET, IR = 20, 9
RATE = 16000
# What the hints look at; then the second at which the trimmed sound begins, and how long it is.
ABOUT = (*dict.fromkeys(name for name, _ in familiarity.HINTS), "begin", "kept")
# So many samples at 16 kHz are made at a time when the rate is changed: of common rates, whole samples.
BLOCK = 640
# The part of the band that a change of rate leaves as it is: that of soxr, as serlab uses it.
PASSED = 0.913
# Blackman-Harris window: all lies 92 dB below its main lobe, which is 8 / length wide.
WEIGHTS, LOBE = (0.35875, 0.48829, 0.14128, 0.01168), 8
# The softest that serlab and librosa know, as a mean square.
FAINTEST = 10 ** (recording.FAINTEST_DBFS / 10)
# Frame and step of librosa.effects.split, as predict calls it.
PAUSE_FRAME, PAUSE_HOP = 2048, 512


def build(model: TrainedModel) -> onnx.ModelProto:
    """Write a model down as a graph.

    It takes ``samples``, full scale 1, and their ``rate`` in Hz, a multiple of 25, and gives

    - ``probabilities`` of the classes, calibrated;
    - ``about``, the numbers that `ABOUT` names;
    - ``windows``, where `serlab.predict` cuts the recording for its timeline, in samples at 16 kHz;
    - ``sound``, the samples at 16 kHz, and ``mel``, (frames, 80), what Whisper is given.

    The model listens as the one of `serlab.prediction.emotions` does, and decides linearly.
    """
    if model.extractors != (emotions.EXTRACTOR,):
        raise ValueError(f"The graph listens as {emotions.EXTRACTOR} does, and the model in another way")
    g = Graph()
    sound = resampled(g, "samples", "rate")
    begin, kept = treated(g, sound)
    mel = log_mel(g, kept)
    features = embedding(g, mel)
    about = described(g, sound) | {"strangeness": strangeness(g, features, model.familiar)}
    about |= {"begin": in_seconds(g, begin), "kept": in_seconds(g, g.length(kept))}
    logits = g("Gemm", features, model.estimator.coef_.T, model.estimator.intercept_)
    results = {
        "probabilities": g("Squeeze", g("Softmax", g("Div", logits, model.card["temperature"]))),
        "about": g("Concat", *(g("Reshape", about[name], np.array([1])) for name in ABOUT), axis=0),
        "windows": windows(g, sound),
        "sound": sound,
        "mel": g("Squeeze", mel, np.array([0])),
    }
    g.nodes += [helper.make_node("Identity", [found], [name]) for name, found in results.items()]
    shapes = {"windows": (INT64,), "mel": (1, [None, None])}
    graph = g.finish(
        "serlab",
        [declared("samples"), declared("rate", INT64, [1])],
        [declared(name, *shapes.get(name, ())) for name in results],
    )
    whole = helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=IR)
    onnx.checker.check_model(whole, full_check=True)
    return whole


def in_seconds(g: Graph, samples: str) -> str:
    return g("Div", g.float(samples), float(RATE))


def resampled(g: Graph, y: str, rate: str) -> str:
    """Bring samples to 16 kHz by a windowed sinc, about as soxr does; what has this rate stays as it is.

    Blocks of `BLOCK` results are products of a stretch of the signal with one matrix, the filter.
    """
    kept, new = Graph(g), Graph(g)
    as_is = kept.finish("kept", [], [declared(kept("Identity", y))])

    samples = new("Div", new("Add", new("Mul", new.length(y), RATE), new("Sub", rate, 1)), rate)
    blocks = new("Div", new("Add", samples, BLOCK - 1), BLOCK)
    stretch = new("Div", new("Mul", rate, BLOCK), RATE)
    # Half the length of the filter, in seconds and in samples of the signal.
    band = new("Div", new.float(new("Min", rate, np.array([RATE]))), 2.0)
    half = new("Div", LOBE / 2 / (1 - PASSED), band)
    reach = new.whole(new("Ceil", new("Mul", half, new.float(rate))))
    missing = new("Sub", new("Add", new("Mul", blocks, stretch), reach), new.length(y))
    after = new("Max", missing, np.array([0]))
    padded = new("Pad", y, new("Concat", reach, after, axis=0))
    numbers = new.count(new("Add", stretch, new("Mul", reach, 2)))
    first = new("Unsqueeze", new("Mul", new.count(blocks), stretch), np.array([1]))
    stretches = new("Gather", padded, new("Add", first, numbers))

    # Seconds between each sample of a stretch and each result, by whole numbers as long as possible.
    there = new("Unsqueeze", new("Mul", new("Sub", numbers, reach), RATE), np.array([1]))
    apart = new("Sub", new("Mul", np.arange(BLOCK), rate), there)
    seconds = new("Div", new.float(apart), new("Mul", new.float(rate), float(RATE)))
    cutoff = new("Mul", band, (1 + PASSED) / 2)
    angle, here = new("Mul", seconds, new("Mul", cutoff, 2 * math.pi)), new("Equal", apart, 0)
    sinc = new("Where", here, 1.0, new("Div", new("Sin", angle), new("Where", here, 1.0, angle)))
    place = new("Mul", new("Div", seconds, half), math.pi)
    waves = [new("Mul", new("Cos", new("Mul", place, float(n))), one) for n, one in enumerate(WEIGHTS)]
    inside = new("LessOrEqual", new("Abs", place), math.pi)
    gain = new("Div", new("Mul", cutoff, 2.0), new.float(rate))
    matrix = new("Mul", new("Mul", sinc, new("Where", inside, new("Sum", *waves), 0.0)), gain)
    made = new("Reshape", new("MatMul", stretches, matrix), np.array([-1]))
    changed = new.finish("changed", [], [declared(new.slice(made, 0, samples))])
    return g("If", g("Equal", g("Squeeze", rate), RATE), then_branch=as_is, else_branch=changed)


def mean_squares(g: Graph, y: str, frame: int, hop: int) -> str:
    """Take the mean square of frames, centred, zeros at the ends: never less than `FAINTEST`."""
    squares = g("Unsqueeze", g("Mul", y, y), np.array([0, 1]))
    sizes = {"kernel_shape": [frame], "strides": [hop], "pads": [frame // 2] * 2}
    means = g("AveragePool", squares, **sizes, count_include_pad=1)
    return g("Max", g("Reshape", means, np.array([-1])), FAINTEST)


def near_top(g: Graph, power: str, decibels: float) -> str:
    """Tell which values lie less than so many decibels below the greatest."""
    return g("Greater", power, g("Mul", g("ReduceMax", power), 10 ** (-decibels / 10)))


def treated(g: Graph, y: str) -> tuple[str, str]:
    """Cut silence off both ends and bring the rest to its level, as `serlab.features.Treated` does.

    Returns the sample at which the rest begins, and the rest.
    """
    settings, hop = emotions.EXTRACTOR, recording.HOP_LENGTH
    loud = near_top(g, mean_squares(g, y, recording.N_FFT, hop), settings.trim_db)
    frames = g("Reshape", g("NonZero", loud), np.array([-1]))
    begin = g("Mul", g.slice(frames, 0, 1), hop)
    last = g.slice(frames, -1, np.iinfo(np.int64).max)
    y = g.slice(y, begin, g("Mul", g("Add", last, 1), hop))
    rms = g("Sqrt", g("ReduceMean", g("Mul", y, y)))
    return begin, g("Mul", y, g("Div", 10 ** (settings.level / 20), rms))


def power_spectra(g: Graph, y: str, n_fft: int, hop: int, **how: str) -> str:
    """Compute the power of a short-time Fourier transform, frames centred: (1, frames, bins)."""
    padded = g("Pad", y, np.array([n_fft // 2] * 2), **how)
    window = scipy.signal.get_window("hann", n_fft).astype(np.float32)
    spectra = g("STFT", g("Unsqueeze", padded, np.array([0, 2])), hop, window, n_fft)
    return g("ReduceSumSquare", spectra, np.array([-1]), keepdims=0)


def described(g: Graph, y: str) -> dict[str, str]:
    """Measure what `serlab.prediction.describe` measures, as far as hints need it."""
    n_fft, hop, settings = recording.N_FFT, recording.HOP_LENGTH, Recording()
    loudness = mean_squares(g, y, n_fft, hop)
    speech = g.float(near_top(g, loudness, settings.gate_db))
    mean = g("Div", g("ReduceSum", g("Mul", loudness, speech)), g("ReduceSum", speech))
    level = g.logarithm(mean, 10)
    peak = g.logarithm(g("ReduceMax", g("Abs", y)), 20)
    # The tenth percentile lies between two frames.
    rising, _ = g("TopK", g.logarithm(loudness, 10), g.length(loudness), largest=0, outputs=2)
    place = g("Mul", g.float(g("Sub", g.length(loudness), 1)), 0.1)
    low, high = (g("Gather", rising, g.whole(g(kind, place))) for kind in ("Floor", "Ceil"))
    floor = g("Add", low, g("Mul", g("Sub", high, low), g("Sub", place, g("Floor", place))))
    spectrum = g(
        "Squeeze", g("MatMul", g("Unsqueeze", speech, np.array([0])), power_spectra(g, y, n_fft, hop))
    )
    heard = g.float(g("NonZero", near_top(g, spectrum, settings.edge_db)))
    return {
        "duration": in_seconds(g, g.length(y)),
        "level": level,
        "peak": peak,
        "crest": g("Sub", peak, level),
        "above_pauses": g("Sub", level, floor),
        "highest": g("Mul", g("ReduceMax", heard), RATE / n_fft),
    }


def log_mel(g: Graph, y: str) -> str:
    """Compute what `serlab.embeddings.whisper.log_mel` computes, frames first: (1, frames, 80)."""
    power = power_spectra(g, y, whisper.N_FFT, whisper.HOP_LENGTH, mode="reflect")
    filters = mel_basis(sr=RATE, n_fft=whisper.N_FFT, n_mels=whisper.N_MELS)
    level = g.logarithm(g("Max", g("MatMul", g.slice(power, 0, -1, axis=1), filters.T), 1e-10))
    raised = g("Max", level, g("Sub", g("ReduceMax", level), 8.0))
    return g("Div", g("Add", raised, 4.0), 4.0)


def embedding(g: Graph, mel: str) -> str:
    """Hear a spectrogram through three blocks of Whisper: mean and deviation of each channel, (1, 2304).

    Parts of 30 s are heard one by one, as `serlab.embeddings.Whisper` does.
    """
    extractor = emotions.EXTRACTOR.features
    most = whisper.STRIDE * whisper.MOST_FRAMES
    part, number, go, before = Graph(g), g.name("number"), g.name("go"), g.name("before")
    start = part("Mul", part("Reshape", number, np.array([1])), most)
    heard = encoded(part, part.slice(mel, start, part("Add", start, most), axis=1))
    all_of_it = (1, [1, None, extractor.channels])
    body = part.finish(
        "thirty_seconds",
        [declared(number, INT64, []), declared(go, BOOL, []), declared(before, *all_of_it)],
        [
            declared(part("Identity", go), BOOL, []),
            declared(part("Concat", before, heard, axis=1), *all_of_it),
        ],
    )
    parts = g("Squeeze", g("Div", g("Add", g.length(mel, 1), most - 1), most))
    nothing = np.zeros((1, 0, extractor.channels), np.float32)
    frames = g("Loop", parts, np.array(True), nothing, body=body)
    mean = g("ReduceMean", frames, np.array([1]))
    away = g("Sub", frames, mean)
    deviation = g("Sqrt", g("ReduceMean", g("Mul", away, away), np.array([1])))
    return g("Squeeze", g("Concat", mean, deviation, axis=2), np.array([1]))


def encoded(g: Graph, mel: str) -> str:
    """Put up to 30 s through Whisper's encoder: log-mel (1, time, 80) to (1, time / 2, channels kept)."""
    extractor = emotions.EXTRACTOR.features
    size = whisper.SIZES[extractor.size]
    state = load_file(extractor.weights.locate())

    def parameters(name: str) -> tuple[np.ndarray, ...]:
        # Keys have no bias.
        kinds = [f"encoder.{name}.{kind}" for kind in ("weight", "bias")]
        return tuple(state[kind] for kind in kinds if kind in state)

    def dense(x: str, name: str) -> str:
        weight, *bias = parameters(name)
        product = g("MatMul", x, weight.T)
        return g("Add", product, bias[0]) if bias else product

    def normal(x: str, name: str) -> str:
        return g("LayerNormalization", x, *parameters(name), epsilon=1e-5)

    def heads(x: str, *order: int) -> str:
        apart = np.array([0, 0, size.heads, size.channels // size.heads])
        return g("Transpose", g("Reshape", x, apart), perm=order)

    x = g("Transpose", mel, perm=(0, 2, 1))
    for name, stride in (("conv1", 1), ("conv2", whisper.STRIDE)):
        x = g("Gelu", g("Conv", x, *parameters(name), strides=[stride], pads=[1, 1]))
    x = g("Transpose", x, perm=(0, 2, 1))
    x = g("Add", x, g.slice(state["encoder.positional_embedding"], 0, g.length(x, 1)))
    outputs = []
    for number in range(extractor.depth):
        block = f"blocks.{number}"
        heard = normal(x, f"{block}.attn_ln")
        query, key, value = (dense(heard, f"{block}.attn.{one}") for one in ("query", "key", "value"))
        scores = g("MatMul", heads(query, 0, 2, 1, 3), heads(key, 0, 2, 3, 1))
        shares = g("Softmax", g("Div", scores, math.sqrt(size.channels / size.heads)))
        mixed = g("Transpose", g("MatMul", shares, heads(value, 0, 2, 1, 3)), perm=(0, 2, 1, 3))
        x = g("Add", x, dense(g("Reshape", mixed, np.array([0, 0, -1])), f"{block}.attn.out"))
        inner = g("Gelu", dense(normal(x, f"{block}.mlp_ln"), f"{block}.mlp.0"))
        x = g("Add", x, dense(inner, f"{block}.mlp.2"))
        if number + 1 in extractor.blocks:
            outputs.append(x)
    return g("Concat", *outputs, axis=2)


def strangeness(g: Graph, features: str, familiar: Any) -> str:
    """Measure how far features, (1, 2304), lie from those trained on, as `TrainedModel.strangeness` does."""
    scaler, components = (step for _, step in familiar.steps)
    middle = scaler.mean_ + scaler.scale_ * components.mean_
    whitening = components.components_ / scaler.scale_ / np.sqrt(components.explained_variance_)[:, None]
    whitened = g("MatMul", g("Sub", features, middle), whitening.T)
    return g("Sqrt", g("ReduceMean", g("Mul", whitened, whitened)))


def windows(g: Graph, y: str) -> str:
    """Find where `serlab.predict` cuts windows with sound in them out of a recording, in samples."""
    length, step = round(prediction.WINDOW * RATE), round(prediction.STEP * RATE)
    samples = g.length(y)
    sounding = g.float(near_top(g, mean_squares(g, y, PAUSE_FRAME, PAUSE_HOP), prediction.PAUSE_DB))
    last = g("Max", g("Sub", samples, length), np.array([0]))
    starts = g("Concat", g.count(last, step), last, axis=0)
    # How much of each sounding frame lies in each window.
    begin, first = g("Unsqueeze", starts, np.array([1])), g("Mul", g.count(g.length(sounding)), PAUSE_HOP)
    end = g("Min", g("Min", g("Add", first, PAUSE_HOP), samples), g("Add", begin, length))
    shared = g("Max", g("Sub", end, g("Max", first, begin)), 0)
    enough = g("GreaterOrEqual", g("MatMul", g.float(shared), sounding), prediction.HEARD * RATE)
    return g("Compress", starts, g("Or", enough, g("LessOrEqual", samples, np.array([length]))))


def say(name: str, side: int, limit: float, words: str) -> dict[str, Any]:
    """Write down when to say what of the number `name`: below the limit, or above it if `side` is 1."""
    digits = re.search(r"\{value:\.(\d)f\}", words)
    value = {"digits": int(digits[1])} if digits else {}
    return {"name": name, "side": side, "limit": limit, "words": re.sub(r"\{.*?\}", "{value}", words)} | value


def beside(model: TrainedModel) -> dict[str, Any]:
    """Say what a page needs to know besides the graph: names, limits, words, and what the card says."""
    card, least = model.card, whisper.STRIDE * whisper.HOP_LENGTH / RATE
    kept = ("title", "licence", "trained_on", "corpora", "threshold", "score", "unheard_corpus")
    return {
        "classes": model.classes,
        "not_sure": prediction.NOT_SURE,
        "about": ABOUT,
        "window": prediction.WINDOW,
        "hints": [
            say(name, side, card["limits"][name][0 if side < 0 else 1], words)
            for (name, side), words in familiarity.HINTS.items()
        ],
        "refusals": [
            say("duration", -1, sound_files.MIN_SECONDS, "It lasts {value:.2f} s: too short."),
            say("duration", 1, sound_files.MAX_SECONDS, "It lasts {value:.0f} s: too long for a page."),
            say("peak", -1, 20 * math.log10(sound_files.SILENT_PEAK), "It is silent."),
            say(
                "peak", 1, 20 * math.log10(sound_files.LOUDEST_PEAK), "Its samples lie far beyond full scale."
            ),
            say("kept", -1, least, "There is only a click in it."),
        ],
        "voices": {int(number): row["emotion"] for number, row in emodb.excerpts().iterrows()},
        "card": {name: card[name] for name in kept},
    }


def write(folder: Path) -> None:
    """Write ``model.onnx`` and ``model.json`` into a folder."""
    model = models.load(emotions.FILE)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "model.onnx").write_bytes(build(model).SerializeToString())
    (folder / "model.json").write_text(json.dumps(beside(model), indent=1), encoding="utf-8")
