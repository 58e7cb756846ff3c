"""Whisper's encoder beside a second, plain one in NumPy."""

from __future__ import annotations

import numpy as np
import pytest
from safetensors.numpy import load_file
from scipy.special import erf, softmax

from serlab.corpora.synthesis import synthesise_phrase
from serlab.embeddings import Whisper
from serlab.embeddings.whisper import HOP_LENGTH, log_mel
from serlab.errors import FeatureError


def phrase():
    return np.asarray(synthesise_phrase("d01", emotion="happy"))


def by_hand(mel, state, blocks, heads=6):
    """Give the output of each block: (80, time) to a list of (time // 2, channels)."""

    def p(name):
        return state[f"encoder.{name}"].astype(np.float64)

    def gelu(x):
        return x * (1 + erf(x / np.sqrt(2))) / 2

    def normalised(x, name):
        x = (x - x.mean(axis=1, keepdims=True)) / np.sqrt(x.var(axis=1, keepdims=True) + 1e-5)
        return x * p(f"{name}.weight") + p(f"{name}.bias")

    def dense(x, name):
        bias = p(f"{name}.bias") if f"encoder.{name}.bias" in state else 0
        return x @ p(f"{name}.weight").T + bias

    def convolved(x, name, step):
        x = np.pad(x, ((0, 0), (1, 1)))
        starts = range(0, x.shape[1] - 2, step)
        columns = [np.einsum("oik,ik->o", p(f"{name}.weight"), x[:, i : i + 3]) for i in starts]
        return gelu(np.stack(columns, axis=1) + p(f"{name}.bias")[:, None])

    x = convolved(convolved(mel, "conv1", 1), "conv2", 2).T
    x = x + p("positional_embedding")[: len(x)]
    outputs = [x]
    for number in range(blocks):
        place = f"blocks.{number}"
        inner = normalised(x, f"{place}.attn_ln")
        q, k, v = (dense(inner, f"{place}.attn.{name}") for name in ("query", "key", "value"))
        q, k, v = (one.reshape(len(x), heads, -1).transpose(1, 0, 2) for one in (q, k, v))
        weights = softmax(q @ k.transpose(0, 2, 1) / np.sqrt(q.shape[-1]), axis=-1)
        x = x + dense((weights @ v).transpose(1, 0, 2).reshape(len(x), -1), f"{place}.attn.out")
        inner = gelu(dense(normalised(x, f"{place}.mlp_ln"), f"{place}.mlp.0"))
        x = x + dense(inner, f"{place}.mlp.2")
        outputs.append(x)
    return outputs


def test_every_block_agrees_with_a_plain_implementation():
    state = load_file(Whisper().weights.locate())
    expected = by_hand(log_mel(phrase()), state, 3)
    for block, frames in enumerate(expected):
        found = Whisper(blocks=(block,), statistics=None).extract(phrase())
        np.testing.assert_allclose(found, frames.T, atol=2e-4)


def test_the_spectrogram_is_whispers():
    y = phrase()
    window = np.hanning(401)[:-1]
    padded = np.pad(y, 200, mode="reflect")
    count = len(y) // HOP_LENGTH
    frames = np.stack([padded[i * 160 : i * 160 + 400] * window for i in range(count)])
    power = np.abs(np.fft.rfft(frames, axis=1)) ** 2
    found = log_mel(y)
    assert found.shape == (80, count)
    assert found.max() - found.min() <= 2.0001  # a floor 8 below the maximum, divided by 4
    # The band around 1 kHz is loud where the spectrum is.
    around = power[:, 24:27].sum(axis=1)
    band = np.argmin(np.abs(np.linspace(0, 80, 80) - 27))
    assert np.corrcoef(np.log10(around + 1e-10), found[band])[0, 1] > 0.8


def test_blocks_lie_end_to_end_and_statistics_are_over_time():
    frames = Whisper(blocks=(1, 3), statistics=None).extract(phrase())
    assert frames.shape[0] == 2 * 384
    both = [Whisper(blocks=(b,), statistics=None).extract(phrase()) for b in (1, 3)]
    np.testing.assert_allclose(frames, np.concatenate(both), atol=1e-5)
    vector = Whisper(blocks=(1, 3)).extract(phrase())
    np.testing.assert_allclose(vector, [*frames.mean(axis=1), *frames.std(axis=1)], atol=1e-4)


def test_half_a_minute_is_heard_at_a_time_and_nothing_is_lost():
    y = np.tile(phrase(), 40)[: 16000 * 31]
    frames = Whisper(blocks=(0,), statistics=None).extract(y)
    assert frames.shape == (384, 31 * 50)
    first = Whisper(blocks=(0,), statistics=None).extract(y[: 16000 * 30])
    np.testing.assert_allclose(frames[:, :1490], first[:, :1490], atol=1e-3)


def test_settings_that_cannot_be_are_refused():
    with pytest.raises(FeatureError, match="16000 Hz only"):
        Whisper(sample_rate=8000)
    with pytest.raises(FeatureError, match=r"blocks of tiny.en are some of \[0, 1, 2, 3, 4\]"):
        Whisper(blocks=(5,))
    with pytest.raises(FeatureError, match=r"tiny.en, base.en, small.en"):
        Whisper(size="huge")
    with pytest.raises(FeatureError, match="20 ms"):
        Whisper().extract(phrase()[:200])


def test_random_weights_are_the_same_in_every_process():
    from serlab.backend import keras
    from serlab.embeddings import base

    found = []
    for seed in (1, 2):
        keras.utils.set_random_seed(seed)
        network = Whisper(blocks=(1,)).build()
        base._randomise(network)
        found.append([np.asarray(weight) for weight in network.trainable_weights])
    for one, other in zip(*found, strict=True):
        np.testing.assert_array_equal(one, other)
