"""Embeddings: networks equal to PyTorch's, checkpoints that cannot run anything, weights found and verified.

``data/embeddings.json`` holds what PyTorch 2.13 makes of `picture` with the weights of `made_up` and with the
official ones of BYOL-S, and, in base64, a small checkpoint that it wrote.
"""

from __future__ import annotations

import base64
import gzip
import hashlib
import http.server
import io
import json
import pickle
import struct
import subprocess
import sys
import threading
import tracemalloc
import zipfile
from dataclasses import replace
from pathlib import Path

import h5py
import numpy as np
import pandas as pd
import pytest
import soundfile

from serlab import audio, store
from serlab.embeddings import ByolS, Weights, base, byol, read_state_dict
from serlab.errors import AudioError, FeatureError, FetchError
from serlab.lessons.ch09_openl3 import WEIGHTS as L3_WEIGHTS
from serlab.lessons.ch09_openl3 import OpenL3, mel_db

PYTORCH = json.loads((Path(__file__).parent / "data" / "embeddings.json").read_text(encoding="utf-8"))


def picture(bands: int, frames: int) -> np.ndarray:
    band, frame = np.ogrid[:bands, :frames]
    values = 1.5 * np.sin(0.11 * band + 0.037 * frame) + np.cos(0.05 * band * np.sin(0.02 * frame)) - 0.5
    return values.astype(np.float32)


def made_up(shapes: dict[str, tuple[int, ...]]) -> dict[str, np.ndarray]:
    """Make weights of a sane size by formula, so that PyTorch could be given the same."""
    made = {}
    for number, (name, shape) in enumerate(shapes.items()):
        values = np.sin(12.9898 * np.arange(np.prod(shape, dtype=int)) + number).reshape(shape)
        if name.endswith("running_var"):
            values = 1 + 0.5 * values
        elif len(shape) > 1:
            values *= 2 / np.sqrt(np.prod(shape[1:]))
        elif name.endswith("weight"):
            values = 1 + 0.2 * values
        else:
            values *= 0.1
        made[name] = values.astype(np.float32)
    return made


def norm(name: str, channels: int) -> dict[str, tuple[int, ...]]:
    return {f"{name}.{what}": (channels,) for what in ("weight", "bias", "running_mean", "running_var")}


def affine(name: str, *shape: int) -> dict[str, tuple[int, ...]]:
    return {f"{name}.weight": shape, f"{name}.bias": shape[:1]}


def ntt_weights(d: int = 512) -> dict[str, np.ndarray]:
    shapes = {}
    for block, inputs in enumerate((1, 64, 64)):
        shapes |= affine(f"features.{4 * block}", 64, inputs, 3, 3) | norm(f"features.{4 * block + 1}", 64)
    return made_up(shapes | affine("fc.0", d, 512) | affine("fc.3", d, d))


# ---- checkpoints ----


def text(value: str) -> bytes:
    return b"X" + struct.pack("<i", len(value)) + value.encode()


def whole(*values: int) -> bytes:
    return b"(" + b"".join(b"J" + struct.pack("<i", value) for value in values) + b"t"


def tensor(key: str, stored: int, shape, stride, offset: int = 0, kind: str = "FloatStorage") -> bytes:
    """Write the pickle of a tensor as PyTorch does."""
    storage = b"(" + text("storage") + f"ctorch\n{kind}\n".encode() + text(key) + text("cpu")
    storage += b"J" + struct.pack("<i", stored) + b"tQ"
    rest = (
        b"J"
        + struct.pack("<i", offset)
        + whole(*shape)
        + whole(*stride)
        + b"\x89ccollections\nOrderedDict\n)R"
    )
    return b"ctorch._utils\n_rebuild_tensor_v2\n(" + storage + rest + b"tR"


def checkpoint(path, values: dict[str, bytes], storages: dict[str, bytes], compression=zipfile.ZIP_STORED):
    items = b"".join(text(name) + value for name, value in values.items())
    index = b"\x80\x02ccollections\nOrderedDict\n)R(" + items + b"u."
    return archive(path, index, storages, compression)


def archive(path, index: bytes, storages=None, compression=zipfile.ZIP_STORED):
    with zipfile.ZipFile(path, "w", compression) as file:
        file.writestr("archive/data.pkl", index)
        for key, data in (storages or {}).items():
            file.writestr(f"archive/data/{key}", data)
        file.writestr("archive/version", "3\n")
    return path


def write_state(path, state: dict[str, np.ndarray]):
    values, storages = {}, {}
    for key, (name, array) in enumerate(state.items()):
        stride = [step // array.itemsize for step in array.strides]
        values[name] = tensor(str(key), array.size, array.shape, stride)
        storages[str(key)] = array.tobytes()
    return checkpoint(path, values, storages)


def test_reads_what_pytorch_wrote():
    state = read_state_dict(io.BytesIO(base64.b64decode(PYTORCH["checkpoint"])))
    expected = {
        "weight": np.array([[1.0, 2.0]], dtype=np.float32),
        "bias": np.array([3.0], dtype=np.float32),
        "float": np.arange(6, dtype=np.float32).reshape(2, 3),
        "transposed": np.arange(6, dtype=np.float32).reshape(2, 3).T,
        "slice": np.array([3, 5, 7]),
        "half": np.array([0.5, -2.0], dtype=np.float16),
        "scalar": np.array(7),
        "empty": np.zeros((0, 4), dtype=np.float32),
        "flag": np.array([True, False]),
    }
    assert list(state) == list(expected)
    for name, values in expected.items():
        np.testing.assert_array_equal(state[name], values)
        assert state[name].dtype == values.dtype, name


class Evil:
    def __init__(self, function, *arguments):
        self.call = function, arguments

    def __reduce__(self):
        return self.call


@pytest.mark.parametrize("protocol", [2, 4])
def test_no_code_of_a_checkpoint_runs(tmp_path, protocol):
    witness = tmp_path / "ran"
    for evil in (Evil(Path.mkdir, witness), Evil(eval, f"open({str(witness)!r}, 'w')")):
        index = pickle.dumps({"features.0.weight": evil}, protocol)
        path = archive(tmp_path / "evil.pth", index)
        with pytest.raises(FeatureError, match=r"evil\.pth.*asks for .*no part of a dictionary of tensors"):
            read_state_dict(path)
        assert not witness.exists()
        # The same pickle does run in the usual reader.
        pickle.loads(index)
        assert witness.exists()
        witness.rmdir() if witness.is_dir() else witness.unlink()


@pytest.mark.parametrize(
    ("module", "name"),
    [
        ("os", "system"),
        ("builtins", "getattr"),
        ("torch", "load"),
        ("torch._utils", "_rebuild_parameter"),
        ("collections", "OrderedDict.fromkeys"),
        ("collections", "Counter"),
        ("numpy", "load"),
    ],
)
def test_other_names_are_refused(tmp_path, module, name):
    index = b"\x80\x04" + text(module) + text(name) + b"\x93."
    with pytest.raises(FeatureError, match=f"asks for {module}.{name}"):
        read_state_dict(archive(tmp_path / "x.pth", index))


@pytest.mark.parametrize(
    ("shape", "stride", "offset"),
    [
        ((5,), (1,), 0),
        ((2,), (4,), 0),
        ((4,), (1,), 1),
        ((2,), (-1,), 3),
        ((2,), (1,), -1),
        ((-2,), (1,), 0),
        ((2, 2), (1,), 0),
        ((1000000, 1000000), (0, 0), 0),
    ],
)
def test_tensors_stay_within_their_storage(tmp_path, shape, stride, offset):
    values = {"x": tensor("0", 4, shape, stride, offset)}
    with pytest.raises(FeatureError, match=r"storage|buffer|strides"):
        read_state_dict(checkpoint(tmp_path / "x.pth", values, {"0": bytes(16)}))


GLOBALS = b"ctorch._utils\n_rebuild_tensor_v2\n"


def made_of(storage: bytes, shape=(4,), stride=(1,)) -> bytes:
    """Write the pickle of a tensor that is made of anything."""
    return GLOBALS + b"(" + storage + b"K\x00" + whole(*shape) + whole(*stride) + b"tR"


@pytest.mark.parametrize(
    "value",
    [
        # A tensor for a storage: its rows of 4 numbers were counted as numbers.
        made_of(tensor("0", 4, (2, 2), (2, 1)), (2, 2), (2, 1)),
        made_of(tensor("0", 4, (4,), (1,))),
        made_of(text("0")),
        made_of(b"N"),
        made_of(b"K\x05"),
        made_of(b"(K\x01t"),
        # Shapes and steps that are none.
        GLOBALS + b"(" + text("0") + b"tR",
        tensor("0", 4, (4,), (1,)).replace(whole(4), text("4")),
        tensor("0", 4, (4,), (1,)).replace(whole(4), b"(" + text("4") + b"t"),
        tensor("0", 4, (4,), (1,)).replace(whole(4), b"(" + whole(4) + b"t"),
        tensor("0", 4, (4,), (1,)).replace(whole(4), b"(G" + struct.pack(">d", 4.0) + b"t"),
        tensor("0", 4, (1,) * 65, (1,) * 65),
        tensor("0", 4, (4,), (2**31 - 1,)),
        tensor("0", 4, (2, 2**30, 2**30), (1, 0, 0)),
        # Storages that are none.
        tensor("0", -1, (4,), (1,)),
        tensor("0", 5, (4,), (1,)),
        tensor("0", 2**31 - 1, (4,), (1,)),
        tensor("1", 4, (4,), (1,)),
        tensor("../data.pkl", 4, (4,), (1,)),
        tensor("0", 4, (4,), (1,)).replace(b"ctorch\nFloatStorage\n", text("O")),
        tensor("0", 4, (4,), (1,)).replace(b"ctorch\nFloatStorage\n", b"ctorch\nComplexFloatStorage\n"),
        text("0") + b"Q",
        b"Q",
    ],
)
def test_no_crafted_tensor_reads_beyond_its_storage(tmp_path, value):
    # The size is near that of the file, so that no other check helps.
    path = checkpoint(tmp_path / "x.pth", {"x": value}, {"0": bytes(16)})
    with pytest.raises(FeatureError, match=r"x\.pth"):
        read_state_dict(path)


@pytest.mark.parametrize(
    "index",
    [
        b"\x80\x02B" + struct.pack("<I", 2**32 - 1) + b".",
        b"\x80\x04\x8e" + struct.pack("<Q", 2**33) + b".",
        b"\x80\x05\x96" + struct.pack("<Q", 2**33) + b".",
        b"\x80\x02X" + struct.pack("<I", 2**32 - 1) + b".",
        b"\x80\x02Nr" + struct.pack("<I", 2**29) + b".",
        b"\x80\x02\x8b" + struct.pack("<I", 2**31 - 1) + b".",
        b"\x80\x04\x95" + struct.pack("<Q", 2**33) + b"N.",
    ],
)
def test_no_crafted_index_asks_for_more_memory_than_the_file_has(tmp_path, index):
    path = archive(tmp_path / "x.pth", index)
    tracemalloc.start()
    try:
        with pytest.raises(FeatureError, match=r"x\.pth"):
            read_state_dict(path)
        assert tracemalloc.get_traced_memory()[1] < 2**24
    finally:
        tracemalloc.stop()


def test_parts_that_are_said_to_be_larger_than_the_file_are_refused(tmp_path):
    path = checkpoint(tmp_path / "x.pth", {"x": tensor("0", 4, (4,), (1,))}, {"0": bytes(16)})
    raw = bytearray(path.read_bytes())
    place = raw.index(b"PK\x01\x02", raw.index(b"PK\x01\x02") + 1)
    raw[place + 20 : place + 28] = struct.pack("<II", 2**32 - 2, 2**32 - 2)
    path.write_bytes(raw)
    with pytest.raises(FeatureError, match="larger than the file"):
        read_state_dict(path)


def test_numbers_with_their_bytes_in_the_other_order_are_refused(tmp_path):
    path = checkpoint(tmp_path / "x.pth", {"x": tensor("0", 4, (4,), (1,))}, {"0": bytes(16)})
    with zipfile.ZipFile(path, "a") as file:
        file.writestr("archive/byteorder", "big")
    with pytest.raises(FeatureError, match="other order"):
        read_state_dict(path)


def test_many_views_of_one_storage_take_no_memory(tmp_path):
    size = 2**18
    values = {f"x{number}": tensor("0", size, (size,), (1,)) for number in range(200)}
    path = checkpoint(tmp_path / "x.pth", values, {"0": bytes(4 * size)})
    tracemalloc.start()
    try:
        state = read_state_dict(path)
        assert tracemalloc.get_traced_memory()[1] < 10 * 4 * size
    finally:
        tracemalloc.stop()
    assert len(state) == 200
    with pytest.raises(ValueError, match="read-only"):
        state["x0"][0] = 1


def test_damaged_checkpoints_are_refused(tmp_path):
    good = {"x": tensor("0", 4, (4,), (1,))}
    path = tmp_path / "x.pth"
    assert read_state_dict(checkpoint(path, good, {"0": bytes(16)}))["x"].shape == (4,)
    for storages in ({}, {"0": bytes(15)}):
        with pytest.raises(FeatureError, match=r"x\.pth is not a PyTorch checkpoint that can be read"):
            read_state_dict(checkpoint(path, good, storages))
    with pytest.raises(FeatureError, match="larger than the file"):
        read_state_dict(checkpoint(path, good, {"0": bytes(2**20)}, zipfile.ZIP_DEFLATED))
    for index in (pickle.dumps([1]), pickle.dumps({"a": "text"})):
        with pytest.raises(FeatureError, match="something else than a dictionary of tensors"):
            read_state_dict(archive(path, index))
    path.write_bytes(b"\x80\x02}.")
    with pytest.raises(FeatureError, match="not a zip file"):
        read_state_dict(path)


# ---- BYOL-S ----


@pytest.fixture(scope="module")
def ntt(tmp_path_factory):
    """Give the file of a checkpoint like that of BYOL-S, with weights made up."""
    state = ntt_weights() | {"features.1.num_batches_tracked": np.array(7)}
    return write_state(tmp_path_factory.mktemp("weights") / "byol_s_audiontt2020_d512.pth", state)


@pytest.fixture
def own_weights(ntt, monkeypatch):
    """Let ByolS take the weights made up."""
    monkeypatch.setenv("SERLAB_DATA", str(ntt.parent))
    monkeypatch.setattr(ByolS, "weights", replace(byol.WEIGHTS, sha256=None))


def loaded(extractor, path):
    """Return the network of an extractor with the weights of a file."""
    network = extractor.build()
    extractor.load_weights(network, path)
    return network


def run(network, values: np.ndarray) -> np.ndarray:
    from keras import ops

    return ops.convert_to_numpy(network(values[None, ..., None], training=False))[0]


def test_network_equals_pytorch(ntt):
    expected = np.reshape(PYTORCH["audio_ntt2020"], (4, 512))
    assert expected.std() > 0.1
    np.testing.assert_allclose(run(loaded(ByolS(), ntt), picture(64, 35)), expected, rtol=0, atol=5e-5)


@pytest.mark.real
def test_official_weights_give_what_they_give_in_pytorch():
    path = byol.WEIGHTS.find()
    if path is None:
        pytest.skip("the weights of BYOL-S are not beside SERLAB_DATA")
    network = loaded(ByolS(), path)
    assert network.count_params() == 600576
    expected = np.reshape(PYTORCH["byol_s"], (4, 512))
    np.testing.assert_allclose(run(network, picture(64, 35)), expected, rtol=0, atol=1e-4)


def test_weights_of_another_network_are_refused(tmp_path):
    with pytest.raises(FeatureError, match=r"small\.pth does not hold weights of AudioNTT2020"):
        loaded(ByolS(), write_state(tmp_path / "small.pth", ntt_weights(d=256)))
    with pytest.raises(FeatureError, match=r"features\.0\.weight"):
        loaded(ByolS(), write_state(tmp_path / "none.pth", {"x": np.zeros(3, dtype=np.float32)}))


def test_log_mel_is_that_of_its_definition():
    """Frames, bands and logarithm, written out."""
    y = np.random.default_rng(0).normal(0, 0.1, 4000).astype(np.float32)
    padded = np.pad(y, 512, mode="reflect")
    window = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(1024) / 1024)
    frames = [padded[start : start + 1024] * window for start in range(0, len(y) + 1, 160)]
    spectrum = np.abs(np.fft.rfft(frames, axis=1)).T
    low, high = (2595 * np.log10(1 + f / 700) for f in (60, 7800))
    edges = 700 * (10 ** (np.linspace(low, high, 66) / 2595) - 1)
    rising = (np.linspace(0, 8000, 513) - edges[:-2, None]) / np.diff(edges)[:-1, None]
    falling = (edges[2:, None] - np.linspace(0, 8000, 513)) / np.diff(edges)[1:, None]
    bands = np.maximum(0, np.minimum(rising, falling))
    expected = np.log(bands @ spectrum + np.finfo(np.float32).eps)
    np.testing.assert_allclose(byol.log_mel(y), expected, atol=1e-4)


def tones(folder: Path, seconds=(0.5, 0.8, 1.3)) -> pd.DataFrame:
    paths = []
    for number, length in enumerate(seconds):
        t = np.arange(round(16000 * length)) / 16000
        y = 0.3 * np.sin(2 * np.pi * (200 + 150 * number + 40 * t) * t)
        paths.append(folder / f"{number}.wav")
        soundfile.write(paths[-1], y, 16000)
    return pd.DataFrame({"path": paths})


def test_embeddings_go_through_the_store(own_weights, ntt, tmp_path):
    table = tones(tmp_path)
    extractor = ByolS()
    vectors = store.features(table, extractor, progress=False, root=tmp_path)
    assert vectors.shape == (3, 2048)
    frames = store.features(table, ByolS(statistics=None), progress=False, root=tmp_path)
    network = loaded(ByolS(), ntt)
    for path, vector, frame in zip(table["path"], vectors, frames, strict=True):
        y, _ = soundfile.read(path, dtype="float32")
        x = (byol.log_mel(y) - extractor.mean) / extractor.deviation
        expected = run(network, x).T
        assert frame.shape == (512, (1 + len(y) // 160) // 8)
        np.testing.assert_allclose(frame, expected, atol=1e-4)
        mean, highest = expected.mean(axis=1), expected.max(axis=1)
        statistics = [mean + highest, mean, highest, expected.std(axis=1)]
        np.testing.assert_allclose(vector, np.concatenate(statistics), atol=1e-4)


def test_the_network_is_loaded_once(own_weights, monkeypatch):
    monkeypatch.setattr(base, "_networks", {})
    assert ByolS().network is ByolS(statistics=None, mean=0.0).network


def test_statistics_are_chosen():
    assert ByolS(statistics=("min", "max")).shape == (1024,)
    assert ByolS(statistics=None).shape == (512, None)
    assert ByolS(statistics=None).frame_rate == 12.5
    for wrong in ((), ("median",)):
        with pytest.raises(FeatureError, match="statistics are some of mean, max"):
            ByolS(statistics=wrong)


def test_signals_that_cannot_be_used(own_weights):
    with pytest.raises(FeatureError, match="1120 samples"):
        ByolS().extract(np.ones(1119))
    assert ByolS(statistics=None).extract(np.ones(1120)).shape == (512, 1)
    with pytest.raises(AudioError, match="mono"):
        ByolS().extract(np.ones((2, 16000)))
    with pytest.raises(FeatureError, match="16000 Hz"):
        ByolS(sample_rate=8000)


def test_without_keras_the_extra_is_named(own_weights, monkeypatch):
    monkeypatch.setattr(base, "find_spec", lambda name: None)
    for action in (lambda: ByolS().key, lambda: ByolS().network, lambda: OpenL3().network):
        with pytest.raises(FeatureError, match=r'pip install "serlab\[cpu\]"'):
            action()


def test_importing_embeddings_does_not_import_keras():
    code = "import sys, serlab.embeddings as e; print(e.ByolS()); print({'keras', 'h5py'} & {*sys.modules})"
    said = subprocess.run([sys.executable, "-c", code], check=True, stdout=subprocess.PIPE, text=True).stdout
    assert said.splitlines()[-1] == "set()"
    assert "weights: BYOL-S (AudioNTT2020, d = 512), MIT licence" in said


def test_the_key_knows_the_code_that_reads_weights(own_weights):
    from serlab import results_cache

    assert "serlab.embeddings.checkpoint" in results_cache._module("serlab.embeddings.base")[1]
    assert ByolS().key != ByolS(mean=0.0).key


# ---- OpenL3 ----


def l3_layers() -> dict[str, list[np.ndarray]]:
    """Give the layers of an official weight file, with weights made up, as Keras lays them out."""
    shapes, layers = norm("0", 1), {"batch_normalization_1": ["0"]}
    channels = 1
    for number, filters in enumerate((64, 64, 128, 128, 256, 256, 512), 1):
        shapes |= affine(f"c{number}", filters, channels, 3, 3) | norm(f"n{number}", filters)
        layers |= {f"conv2d_{number}": [f"c{number}"], f"batch_normalization_{number + 1}": [f"n{number}"]}
        channels = filters
    weights = made_up(shapes | affine("last", 512, 512, 3, 3))
    layers["audio_embedding_layer"] = ["last"]
    return {
        layer: [
            values.transpose(2, 3, 1, 0) if values.ndim == 4 else values
            for name, values in weights.items()
            if name.split(".")[0] == prefix
        ]
        for layer, (prefix,) in layers.items()
    }


def write_h5(path: Path, layers: dict[str, list[np.ndarray]]) -> Path:
    """Write weights as the Keras of that time did, layers without any included."""
    with h5py.File(path, "w") as file:
        file.attrs["layer_names"] = [b"input_1", *(name.encode() for name in layers), b"activation_1"]
        file.attrs["backend"], file.attrs["keras_version"] = b"tensorflow", b"2.0.9"
        for name in ("input_1", "activation_1"):
            file.create_group(name).attrs["weight_names"] = []
        for name, arrays in layers.items():
            kinds = (
                ("gamma", "beta", "moving_mean", "moving_variance")
                if len(arrays) == 4
                else ("kernel", "bias")
            )
            group = file.create_group(name)
            group.attrs["weight_names"] = [f"{name}/{kind}:0".encode() for kind in kinds]
            for kind, array in zip(kinds, arrays, strict=True):
                group.create_dataset(f"{name}/{kind}:0", data=array)
    return path


@pytest.fixture(scope="module")
def l3_file(tmp_path_factory):
    return write_h5(tmp_path_factory.mktemp("l3") / "openl3_audio_mel256_env.h5", l3_layers())


def test_official_layout_loads_and_the_network_equals_pytorch(l3_file):
    network = loaded(OpenL3(), l3_file)
    assert network.count_params() == 4689860
    got = run(network, 10 * picture(256, 199) - 40)
    assert np.std(PYTORCH["l3_audio"]) > 0.01
    np.testing.assert_allclose(got, PYTORCH["l3_audio"], rtol=0, atol=1e-4)


def test_other_layouts_are_refused(tmp_path):
    layers = l3_layers()
    first = {"melspectrogram_1": [np.zeros((2, 2)), np.zeros(2)]}
    wrong = {
        "of version 0.3": first | layers,
        "short": dict(list(layers.items())[:-1]),
        "of another shape": layers | {"conv2d_7": [np.zeros((3, 3, 256, 256)), np.zeros(256)]},
    }
    for case, content in wrong.items():
        path = write_h5(tmp_path / f"{case}.h5", content)
        with pytest.raises(FeatureError, match=rf"{case}\.h5 does not hold the weights of OpenL3's mel256"):
            loaded(OpenL3(), path)
        path.unlink()
    layers["conv2d_1"][0][0, 0, 0, 0] = np.nan
    with pytest.raises(FeatureError, match="no numbers"):
        loaded(OpenL3(), write_h5(tmp_path / "x.h5", layers))
    (tmp_path / "x.h5").write_bytes(b"not HDF5")
    with pytest.raises(FeatureError, match=r"x\.h5 does not hold"):
        loaded(OpenL3(), tmp_path / "x.h5")


def test_spectrogram_is_that_of_kapre():
    """Compare with the steps that the official model takes, in the library it takes them in."""
    tf = pytest.importorskip("tensorflow")
    import librosa

    t = np.arange(48000) / 48000
    rng = np.random.default_rng(0)
    windows = np.stack([np.sin(2 * np.pi * (300 + 2000 * t) * t), rng.normal(0, 0.1, 48000)]).astype(
        np.float32
    )
    windows[1, 20000:] = 0
    stft = tf.signal.stft(windows, 2048, 242, 2048, pad_end=True)
    basis = librosa.filters.mel(sr=48000, n_fft=2048, n_mels=256, htk=False, norm="slaney")
    mel = tf.abs(stft).numpy() @ basis.T
    db = 10 * np.log10(np.maximum(mel, 1e-10))
    expected = np.maximum(db - db.max(axis=(1, 2), keepdims=True), -80).transpose(0, 2, 1)
    got = mel_db(windows)
    assert got.shape == (2, 256, 199)
    # What rounding leaves in the weakest bands is no sound.
    audible = expected > -60
    np.testing.assert_allclose(got[audible], expected[audible], atol=0.2)
    assert got.max() == 0
    assert got.min() >= -80


@pytest.mark.parametrize("seconds", [0.2, 0.5, 0.55, 1.0, 2.03])
def test_windows_cover_the_clip(seconds):
    y = np.random.default_rng(0).normal(size=round(48000 * seconds)).astype(np.float32)
    windows = OpenL3(hop_seconds=0.5).windows(y)
    # As OpenL3 counts them: the first is centred on the beginning, the last reaches to the end.
    assert len(windows) == 1 + int(np.ceil(max(0, len(y) + 24000 - 48000) / 24000))
    joined = np.concatenate([windows[0], *(window[24000:] for window in windows[1:])])
    np.testing.assert_array_equal(joined[24000:][: len(y)], y)
    assert not joined[:24000].any()
    assert not joined[24000 + len(y) :].any()


def test_clips_become_openl3_embeddings(l3_file, monkeypatch, tmp_path):
    monkeypatch.setenv("SERLAB_DATA", str(l3_file.parent))
    table = tones(tmp_path, seconds=(2.6,))
    extractor = OpenL3(statistics=None)
    # Six windows: more than go through the network at a time.
    (frames,) = store.features(table, extractor, progress=False, root=tmp_path)
    assert frames.shape == (512, 6)
    sound = audio.read(table["path"][0], 48000)[0]
    y = sound[24000:72000]
    expected = run(loaded(OpenL3(), l3_file), mel_db(y[None])[0])
    np.testing.assert_allclose(frames[:, 2], expected, atol=1e-4)


def test_openl3_settings():
    assert OpenL3(statistics=None).shape == (512, None)
    assert OpenL3(hop_seconds=0.1).frame_rate == 10
    assert "CC BY 4.0" in str(OpenL3())
    for wrong in ({"content": "speech"}, {"hop_seconds": 2.0}, {"sample_rate": 1}):
        with pytest.raises(FeatureError, match=r"content must|hop_seconds must|48000 Hz only"):
            OpenL3(**wrong)


# ---- weights ----


@pytest.fixture
def cache(monkeypatch, tmp_path):
    monkeypatch.setenv("SERLAB_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("SERLAB_DATA", str(tmp_path / "data" / "corpora"))
    return tmp_path / "cache" / "weights"


@pytest.fixture
def host():
    """Serve files by name from this computer."""
    files = {}

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            data = files.get(self.path[1:])
            self.send_response(200 if data is not None else 404)
            self.send_header("Content-Length", str(len(data or b"")))
            self.end_headers()
            self.wfile.write(data or b"")

        def log_message(self, *_):
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield files, f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()


def sha(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def made(url: str, filename: str = "w.h5", **checksums) -> Weights:
    return Weights(title="W", filename=filename, url=url, licence="free", **checksums)


def test_weights_are_found_in_order(cache, tmp_path):
    weights = made("http://127.0.0.1/official.h5.gz")
    assert weights.find() is None
    places = [
        cache,
        tmp_path / "data" / "weights",
        tmp_path / "data" / "corpora" / "weights",
        tmp_path / "data" / "corpora",
    ]
    for place in places:
        place.mkdir(parents=True, exist_ok=True)
        (place / "official.h5").write_bytes(b"x")
        assert weights.find() == place / "official.h5"
        (place / "w.h5").write_bytes(b"x")
        assert weights.find() == weights.locate() == place / "w.h5"


def test_weights_are_fetched_once_and_verified(cache, host, capsys):
    files, url = host
    files["w.pth"] = b"numbers"
    weights = made(url + "w.pth", filename="mine.pth", sha256=sha(b"numbers"))
    path = weights.locate()
    assert path == cache / "mine.pth"
    assert path.read_bytes() == b"numbers"
    assert "Fetching W, free." in capsys.readouterr().out
    files.clear()
    assert weights.locate() == path
    path.write_bytes(b"changed")
    with pytest.raises(FetchError, match=r"mine\.pth is not the file of W.*Delete it"):
        weights.locate()


def test_packed_weights_are_unpacked(cache, host):
    files, url = host
    files["w.h5.gz"] = packed = gzip.compress(b"numbers")
    weights = made(url + "w.h5.gz", download_sha256=sha(packed))
    assert weights.locate().read_bytes() == b"numbers"
    assert [path.name for path in cache.iterdir()] == ["w.h5"]


@pytest.mark.parametrize("content", [None, b"another file"])
def test_what_cannot_be_fetched_is_explained(cache, host, content):
    files, url = host
    files |= {} if content is None else {"w.h5.gz": content}
    weights = made(url + "w.h5.gz", download_sha256=sha(b"packed"))
    with pytest.raises(
        FetchError, match=r"W cannot be fetched: .*By hand: download .*, unpack it and put it into"
    ):
        weights.locate()
    assert weights.find() is None


@pytest.mark.parametrize(
    "damage",
    [lambda packed: packed[:-3], lambda packed: b"<html>", lambda packed: packed[:12] + b"\xff" * 9, bytes],
)
def test_damaged_weights_without_checksum_do_not_block(cache, host, damage):
    files, url = host
    packed = gzip.compress(b"numbers" * 9)
    files["w.h5.gz"] = damage(packed) if damage is not bytes else b"\x1f\x8b"
    weights = made(url + "w.h5.gz")
    with pytest.raises(FetchError, match=r"W cannot be fetched: .*w\.h5\.gz was damaged .*By hand"):
        weights.locate()
    assert weights.find() is None
    files["w.h5.gz"] = packed
    assert weights.locate().read_bytes() == b"numbers" * 9


def test_a_cache_that_is_a_file_is_named(cache, host):
    cache.parent.write_bytes(b"")
    with pytest.raises(FetchError, match=r"W: .*cache.* cannot be used .*SERLAB_CACHE.*By hand"):
        made(host[1] + "w.h5").locate()


def test_missing_weights_are_said_before_any_clip_is_read(cache, monkeypatch):
    monkeypatch.setattr(Weights, "_fetch", lambda self: (_ for _ in ()).throw(FetchError("no network")))
    with pytest.raises(FetchError, match="no network"):
        store.features(pd.DataFrame({"path": []}), ByolS())


@pytest.mark.parametrize("weights", [byol.WEIGHTS, L3_WEIGHTS["music"]], ids=str)
def test_another_file_under_the_name_of_the_official_one_is_refused(cache, weights):
    cache.mkdir(parents=True, exist_ok=True)
    (cache / weights.filename).write_bytes(b"numbers of somebody else")
    with pytest.raises(FetchError, match="is not the file of"):
        weights.locate()


def test_random_weights_are_a_control_that_needs_no_file(monkeypatch):
    monkeypatch.setattr(base, "_networks", {})
    monkeypatch.setattr(type(byol.WEIGHTS), "locate", lambda self: pytest.fail("asked for a weight file"))
    untrained = ByolS(trained=False)
    y = np.random.default_rng(0).normal(0, 0.1, 16000).astype(np.float32)
    first = untrained.extract(y)
    assert first.shape == untrained.shape
    # Signals come through at a level that a classifier can use, and clips stay apart.
    assert 0.01 < first.std() < 100
    assert not np.allclose(first, untrained.extract(y[::2]), rtol=0.01)
    monkeypatch.setattr(base, "_networks", {})
    np.testing.assert_array_equal(ByolS(trained=False).extract(y), first)
    assert len({untrained.key, ByolS(trained=False, statistics=("mean",)).key}) == 2
    assert "random" in str(untrained)
