"""The lesson's service starts, answers, and ends; voices arrive as they were sent."""

import io

import numpy as np
import pytest
import soundfile

from serlab import audio
from serlab.corpora import emodb
from serlab.errors import SerlabError
from serlab.lessons import ch19_service as lesson

pytest.importorskip("fastapi")


def test_a_service_answers_as_long_as_it_is_used_and_no_longer():
    with lesson.service() as api:
        found = api.post("/v1/predictions", data=lesson.voices()[5]).json()
        assert found["answers"][0]["emotion"] == "disgust"
        assert api.get("/v1/models/emotions").json()["score"]["uar"] == found["score"]["uar"]
    with pytest.raises(lesson.requests.ConnectionError):
        api.get("/health", timeout=5)


def test_a_service_that_does_not_start_says_why(monkeypatch):
    monkeypatch.setenv("SERLAB_SERVE_UPLOAD", "none")
    with pytest.raises(SerlabError, match=r"does not start: .*upload"), lesson.service():
        pass


def test_voices_are_sent_whole_and_changed_by_a_condition_alone():
    plain, soft = lesson.voices(), lesson.voices("12 dB softer")
    for file, softer, path in zip(plain, soft, emodb.excerpts()["path"], strict=True):
        y, rate = soundfile.read(io.BytesIO(file))
        assert rate == lesson.SAMPLE_RATE
        np.testing.assert_allclose(y, audio.read(path, rate)[0], atol=2**-15)
        np.testing.assert_allclose(soundfile.read(io.BytesIO(softer))[0], 10 ** (-12 / 20) * y, atol=2**-14)
