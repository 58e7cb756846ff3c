"""Extractors: equal to librosa where it has the same, right on known signals, and documented."""

from __future__ import annotations

import dataclasses
import linecache
import subprocess
import sys
from importlib.util import find_spec

import librosa
import numpy as np
import pytest
import soundfile

from serlab import audio, features, results_cache
from serlab.augment.chain import Chain
from serlab.augment.features import Augmented, Versions
from serlab.errors import AudioError, FeatureError
from serlab.features import base
from serlab.lessons.ch16_segments import Parts

RATE = 16000
FRAME_FEATURES = [
    features.Mel(),
    features.Mel(scale="power", n_mels=40, fmin=50.0, fmax=7000.0),
    features.Mel(scale="sqrt"),
    features.Mfcc(deltas=2),
    features.ZeroCrossingRate(),
    features.Rms(),
    features.Rms(scale="db"),
    features.SpectralCentroid(),
    features.SpectralBandwidth(),
    features.SpectralRolloff(),
    features.SpectralContrast(),
    features.Chroma(),
    features.Tonnetz(),
    features.F0(),
]


@pytest.fixture(scope="module")
def y():
    rng = np.random.default_rng(0)
    t = np.arange(2 * RATE) / RATE
    voice = sum(np.sin(2 * np.pi * 150 * k * t) / k for k in range(1, 20))
    return (0.1 * voice * (1 + np.sin(2 * np.pi * 3 * t)) + 0.01 * rng.normal(size=len(t))).astype(np.float32)


def theirs(y, extractor):
    """Ask librosa for the same feature."""
    grid = {"n_fft": extractor.n_fft, "hop_length": extractor.hop_length}
    spectral = {"y": y, "sr": RATE, **grid}
    match extractor:
        case features.Mel(scale=scale, n_mels=n_mels, fmin=fmin, fmax=fmax):
            mel = librosa.feature.melspectrogram(**spectral, n_mels=n_mels, fmin=fmin, fmax=fmax)
            return {"power": mel, "sqrt": np.sqrt(mel), "db": librosa.power_to_db(mel)}[scale]
        case features.Mfcc():
            mfcc = librosa.feature.mfcc(**spectral, n_mfcc=20, n_mels=64)
            return np.concatenate(
                [mfcc, *(librosa.feature.delta(mfcc, order=k, mode="nearest") for k in (1, 2))]
            )
        case features.ZeroCrossingRate():
            return librosa.feature.zero_crossing_rate(y, frame_length=1024, hop_length=256)
        case features.Rms(scale=scale):
            rms = librosa.feature.rms(y=y, frame_length=1024, hop_length=256)
            return librosa.amplitude_to_db(rms, ref=1.0, top_db=None) if scale == "db" else rms
        case features.SpectralCentroid():
            return librosa.feature.spectral_centroid(**spectral)
        case features.SpectralBandwidth():
            return librosa.feature.spectral_bandwidth(**spectral)
        case features.SpectralRolloff():
            return librosa.feature.spectral_rolloff(**spectral)
        case features.SpectralContrast():
            return librosa.feature.spectral_contrast(**spectral, n_bands=5)
        case features.Tonnetz():
            return librosa.feature.tonnetz(chroma=librosa.feature.chroma_stft(**spectral, tuning=0.0))
        case features.Chroma():
            return librosa.feature.chroma_stft(**spectral, tuning=0.0)


@pytest.mark.parametrize("extractor", FRAME_FEATURES[:-1], ids=repr)
def test_equals_librosa(y, extractor):
    ours, expected = extractor.extract(y), theirs(y, extractor)
    np.testing.assert_allclose(ours, expected, rtol=1e-3, atol=1e-4 * np.abs(expected).max())


@pytest.mark.parametrize("extractor", FRAME_FEATURES, ids=repr)
@pytest.mark.parametrize("samples", [1, 500, 1024, 16000, 32000])
def test_shape_is_as_promised(y, extractor, samples):
    result = extractor.extract(y[:samples])
    assert result.dtype == np.float32
    assert result.shape == (len(extractor.channels), 1 + samples // extractor.hop_length)
    assert extractor.shape == (len(extractor.channels), None)
    assert np.isfinite(result).all()
    fixed = dataclasses.replace(extractor, seconds=1.5, align="centre")
    assert fixed.extract(y[:samples]).shape == fixed.shape


@pytest.mark.parametrize("extractor", FRAME_FEATURES, ids=repr)
def test_digital_silence_gives_finite_values(extractor):
    assert np.isfinite(extractor.extract(np.zeros(8000))).all()


@pytest.mark.parametrize("n_fft", [512, 1000, 2048])
def test_power_spectrogram_equals_librosa(y, n_fft):
    from serlab.features.spectral import power_spectrogram

    expected = np.abs(librosa.stft(y, n_fft=n_fft, hop_length=200)) ** 2
    np.testing.assert_allclose(
        power_spectrogram(y, n_fft, 200), expected, rtol=1e-3, atol=1e-6 * expected.max()
    )


@pytest.mark.parametrize("align", ["left", "centre", "right"])
def test_fixed_length_is_cut_or_padded_before_framing(y, align):
    fixed = features.Mel(seconds=3.0, align=align)
    padded = audio.fit_length(y, 3 * RATE, align)
    np.testing.assert_array_equal(fixed.extract(y), features.Mel().extract(padded))
    assert fixed.input_seconds == (3.0 if align == "left" else None)


def original_loop(path):
    """Compute features as the original notebook did, statement by statement."""
    y, _ = librosa.load(path)
    y = y[:75000]
    y = np.concatenate([np.zeros(75000 - len(y), dtype=y.dtype), y])
    return np.sqrt(librosa.feature.melspectrogram(y=y, sr=44100, n_fft=2048, hop_length=512, n_mels=128))


@pytest.mark.parametrize(
    ("rate", "seconds"), [(16000, 2.0), (16000, 5.0), (48000, 3.6), (22050, 75000 / 22050)]
)
def test_original_mel_equals_the_original_loop(tmp_path, rate, seconds):
    rng = np.random.default_rng(3)
    soundfile.write(tmp_path / "clip.wav", rng.uniform(-0.3, 0.3, round(seconds * rate)), rate)
    extractor = features.OriginalMel()
    y, _ = audio.read(tmp_path / "clip.wav", extractor.sample_rate, seconds=extractor.input_seconds)
    ours, expected = extractor.extract(y), original_loop(tmp_path / "clip.wav")
    assert ours.shape == extractor.shape == expected.shape == (128, 147)
    np.testing.assert_allclose(ours, expected, rtol=1e-4, atol=1e-4 * expected.max())
    whole, _ = audio.read(tmp_path / "clip.wav", extractor.sample_rate)
    np.testing.assert_allclose(extractor.extract(whole), expected, rtol=1e-4, atol=1e-4 * expected.max())


@pytest.mark.real
def test_original_mel_on_ravdess():
    from conftest import real_corpus

    extractor = features.OriginalMel()
    for path in real_corpus("ravdess").path[::240]:
        y, _ = audio.read(path, extractor.sample_rate, seconds=extractor.input_seconds)
        np.testing.assert_allclose(extractor.extract(y), original_loop(path), rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: features.Mel(scale="log"), "'power', 'sqrt' or 'db', not 'log'"),
        (lambda: features.Rms(scale="dB"), "'linear' or 'db', not 'dB'"),
        (lambda: features.F0(scale="mel"), "'hz' or 'semitones', not 'mel'"),
        (lambda: features.F0(n_fft=512), "does not hold three periods of 60 Hz. Take n_fft=800"),
        (lambda: features.F0(fmin=300, fmax=200), "in order, between 0 and a quarter of the sample rate"),
        (lambda: features.F0().extract(np.full(4000, np.nan)), "NaN or infinite samples"),
        (lambda: features.Mfcc(deltas=3), "0, 1 or 2, not 3"),
        (lambda: features.Mfcc(n_mfcc=80), r"n_mfcc \(80\) cannot exceed n_mels \(64\)"),
        (
            lambda: features.SpectralContrast(n_bands=7),
            "do not fit under half the sampling rate.*fewer bands",
        ),
        (
            lambda: features.Mel().extract(np.zeros((2, 100))),
            r"mono signal of shape \(samples,\), not \(2, 100\)",
        ),
        (lambda: features.Mel().extract(np.zeros(0)), "this one has none"),
    ],
)
def test_wrong_parameters_and_signals_are_explained(make, words):
    with pytest.raises((AudioError, FeatureError), match=words):
        make()


@pytest.mark.parametrize("extractor", [*FRAME_FEATURES, features.OriginalMel(), features.Summary()], ids=repr)
def test_prints_its_documentation(extractor):
    text = str(extractor)
    assert text.startswith(type(extractor).__name__ + ": ")
    for field in dataclasses.fields(extractor):
        line = next(line for line in text.splitlines() if line.startswith(f"  {field.name} = "))
        described = line.removeprefix(f"  {field.name} = ").removeprefix(repr(getattr(extractor, field.name)))
        assert described.strip(), f"{field.name} has no description"
    assert "gives float32 of shape (" in text.splitlines()[-1]


def test_equal_parameters_mean_equal_extractors():
    assert features.Mel(n_mels=40) == features.Mel(n_mels=40)
    assert len({features.Mel(), features.Mel(), features.Mel(n_mels=40)}) == 2
    with pytest.raises(dataclasses.FrozenInstanceError):
        features.Mel().n_mels = 3


def test_key_follows_parameters_and_class():
    keys = [
        extractor.key for extractor in [*FRAME_FEATURES, features.Mel(seconds=2.0), features.OriginalMel()]
    ]
    assert len(set(keys)) == len(keys)
    assert features.Mel(n_mels=40).key == features.Mel(n_mels=40).key


def test_key_follows_libraries(monkeypatch):
    before = features.Mel().key
    monkeypatch.setattr(base, "version", lambda library: "0.0")
    assert features.Mel().key != before


OWN = '''
from dataclasses import dataclass
from typing import ClassVar
import numpy as np
from serlab.features import Extractor

@dataclass(frozen=True, kw_only=True)
class Loudest(Extractor):
    """{doc}"""
    name: ClassVar[str] = "loudest"
    shape = (1,)

    def extract(self, y):
        {comment}
        return np.abs(y).max(keepdims=True) * {factor}
'''


def own_extractor(folder, name, **parts):
    """Write a reader's own extractor as a module and import it."""
    (folder / f"{name}.py").write_text(OWN.format(**parts))
    sys.path.insert(0, str(folder))
    try:
        return __import__(name).Loudest()
    finally:
        sys.path.remove(str(folder))


def test_key_follows_the_code_of_a_readers_own_extractor(tmp_path):
    first = own_extractor(tmp_path, "own_first", doc="One.", comment="", factor=1)
    edited = own_extractor(tmp_path, "own_edited", doc="One.", comment="", factor=2)
    retold = own_extractor(tmp_path, "own_retold", doc="Another.", comment="# Said otherwise.", factor=1)
    assert first.key != edited.key
    assert first.key == retold.key


def test_an_extractor_without_source_is_known_by_its_bytecode(tmp_path):
    lost = []
    for number, factor in enumerate((1, 2)):
        lost.append(own_extractor(tmp_path, f"own_lost{number}", doc="One.", comment="", factor=factor))
        (tmp_path / f"own_lost{number}.py").unlink()
    linecache.clearcache()
    assert len({lost[0].key, lost[0].key, lost[1].key}) == 2


def run_cell(source):
    """Run a notebook cell that defines an extractor, as IPython does: its lines have a made-up file name."""
    name = f"<ipython-input-{hash(source)}>"
    linecache.cache[name] = (len(source), None, source.splitlines(keepends=True), name)
    scope = {"__name__": "__main__"}
    exec(compile(source, name, "exec"), scope)
    return scope["Loudest"]()


def test_key_follows_an_extractor_defined_in_a_notebook():
    first = run_cell(OWN.format(doc="One.", comment="", factor=1))
    again = run_cell(OWN.format(doc="Two.", comment="# Said otherwise.", factor=1))
    edited = run_cell(OWN.format(doc="One.", comment="", factor=2))
    other_shape = run_cell(
        OWN.format(doc="One.", comment="", factor=1).replace("shape = (1,)", "shape = (2,)")
    )
    assert first.key == again.key
    assert len({extractor.key for extractor in (first, edited, other_shape)}) == 3


def edited(monkeypatch, *modules):
    """Pretend that modules of serlab have other code."""
    read = results_cache._module
    monkeypatch.setattr(
        results_cache, "_module", lambda name: ("edited", ()) if name in modules else read(name)
    )


@pytest.mark.parametrize(
    ("module", "other"),
    [
        ("features.descriptors", True),
        ("features.spectral", True),
        ("features.base", True),
        ("audio", True),
        ("decoders", True),
        ("features.summary", False),
        ("corpora.record", False),
    ],
)
def test_key_follows_the_modules_that_a_feature_imports(monkeypatch, module, other):
    before = features.SpectralCentroid().key
    edited(monkeypatch, f"serlab.{module}")
    assert (features.SpectralCentroid().key != before) == other


@pytest.mark.parametrize(
    "around",
    [
        lambda inner: features.Treated(features=inner),
        lambda inner: Parts(features=inner, seconds=1.0),
        lambda inner: Augmented(extractor=inner, chain=Chain()),
        lambda inner: Versions(extractor=inner, chains=(Chain(),)),
    ],
    ids=["treated", "parts", "augmented", "versions"],
)
def test_key_follows_the_code_of_what_is_measured_within(around, monkeypatch):
    before = around(features.Rms(seconds=1.0)).key
    assert around(features.Rms(seconds=1.0)).key == before
    edited(monkeypatch, "serlab.features.descriptors")
    assert around(features.Rms(seconds=1.0)).key != before


def test_key_follows_the_versions_of_libraries(monkeypatch):
    before = features.Rms().key
    monkeypatch.setattr(base, "version", lambda library: "0.0.1" if library == "librosa" else "1")
    other = features.Rms().key
    monkeypatch.setattr(base, "version", lambda library: "0.0.2" if library == "librosa" else "1")
    assert len({before, other, features.Rms().key}) == 3


def test_abstract_parts_ask_to_be_written():
    for method in (lambda: base.Extractor().shape, lambda: base.Extractor().extract(np.zeros(9))):
        with pytest.raises(NotImplementedError):
            method()
    with pytest.raises(NotImplementedError):
        base.FrameFeature().frames(np.zeros(9))
    assert base.Extractor().input_seconds is None


def test_egemaps_equals_opensmile(y):
    extractor = features.Egemaps()
    names = extractor.feature_names  # loads openSMILE as serlab does, before it is loaded here
    opensmile = pytest.importorskip("opensmile")
    smile = opensmile.Smile(
        feature_set=opensmile.FeatureSet.eGeMAPSv02, feature_level=opensmile.FeatureLevel.Functionals
    )
    expected = smile.process_signal(y, RATE)
    np.testing.assert_allclose(extractor.extract(y), expected.to_numpy()[0], rtol=1e-6)
    assert names == tuple(expected.columns)
    assert extractor.shape == (88,)
    assert extractor.key == features.Egemaps().key
    assert "not for commercial products" in str(extractor)


@pytest.mark.skipif(
    not (find_spec("opensmile") and find_spec("tensorflow")), reason="needs openSMILE and TensorFlow"
)
def test_egemaps_after_tensorflow(y, tmp_path):
    # Left to itself, openSMILE takes C++ symbols of a TensorFlow that was loaded earlier, and crashes.
    np.save(tmp_path / "y.npy", y)
    script = """
import sys, tensorflow
import numpy as np
from serlab.features import Egemaps
np.save(sys.argv[2], Egemaps().extract(np.load(sys.argv[1])))
"""
    arguments = [sys.executable, "-c", script, tmp_path / "y.npy", tmp_path / "found.npy"]
    done = subprocess.run(arguments, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-2000:]
    np.testing.assert_array_equal(np.load(tmp_path / "found.npy"), features.Egemaps().extract(y))


def test_egemaps_needs_enough_sound():
    pytest.importorskip("opensmile")
    for samples in (1, 100):
        with pytest.raises(FeatureError, match=f"egemaps needs a longer signal than {samples} samples"):
            features.Egemaps().extract(np.full(samples, 0.1))


def test_egemaps_without_opensmile_says_how_to_get_it(monkeypatch):
    from serlab.features import egemaps

    egemaps._smile.cache_clear()
    monkeypatch.setitem(sys.modules, "opensmile", None)
    with pytest.raises(FeatureError, match=r'pip install "serlab\[egemaps\]".*licence.*free for private use'):
        _ = features.Egemaps().key


@pytest.mark.parametrize(
    "extractor",
    [
        *FRAME_FEATURES,
        features.OriginalMel(),
        features.Summary(),
        features.Egemaps(),
        features.MidTerm(sample_rate=8000),
        features.Spectrogram(seconds=0.5),
        features.Recording(),
        features.Treated(features=features.Rms(), level=-23.0),
        Parts(features=features.MidTerm(sample_rate=8000), seconds=0.5),
        Augmented(extractor=features.Rms(), chain=Chain()),
    ],
    ids=lambda extractor: extractor.name,
)
def test_amplitude_is_never_guessed(extractor):
    y = np.random.default_rng(0).uniform(-0.3, 0.3, 16000)
    for kind, words in (("i2", "int16: divide by 32768"), ("i4", "divide by 2147483648"), ("u1", "uint8")):
        with pytest.raises(AudioError, match=words):
            extractor.extract((100 * np.abs(y)).astype(kind))
    with pytest.raises(AudioError, match=r"this one reaches 9\d\d\d\. Divide it"):
        extractor.extract(y * 32768)
    with pytest.raises(AudioError, match="NaN"):
        extractor.extract(np.where(y > 0.29, np.nan, y))
    beyond = extractor.extract(5 * y)
    assert beyond.dtype == np.float32
