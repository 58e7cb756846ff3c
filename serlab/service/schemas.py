"""What goes in and comes out, as OpenAPI documents it. Shares, scores and probabilities are from 0 to 1."""

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

from serlab.service.jobs import State


class Score(BaseModel):
    """What a model is worth on speakers it has not heard: mean recall of the classes, and its interval."""

    uar: float
    low: float
    high: float


class Corpus(BaseModel):
    """A corpus; `here` says whether its clips are on this computer."""

    name: str
    title: str
    language: str | None = None
    licence: str | None = None
    clips: int | None = None
    speakers: int | None = None
    here: bool


class Clip(BaseModel):
    """A clip of a corpus, and what it is said to express."""

    clip: str
    speaker: str
    gender: str | None
    emotion: str
    seconds: float


class Clips(BaseModel):
    """A page of clips, and how many there are in all."""

    total: int
    clips: list[Clip]


class Trainable(BaseModel):
    """A model that can be trained."""

    name: str
    title: str


class Trained(Trainable):
    """A model that answers recordings."""

    classes: list[str]
    score: Score | None = None
    protocol: str | None = None
    licence: str | None = None
    date: str


class Models(BaseModel):
    """All models; `default` answers where none is named."""

    default: str
    trained: list[Trained]
    trainable: list[Trainable]


class Answer(BaseModel):
    """What a model hears in a recording, or in a part of it, from and to a second.

    `emotion` is "not sure" where too few such answers are right; `hints` say in what the recording is unlike
    those that the model was trained on.
    """

    start: float
    end: float
    emotion: str
    confidence: float
    hints: str
    probabilities: dict[str, float]


class Prediction(BaseModel):
    """Answers, and what they are worth; of a named clip also `label`, what it is said to express."""

    model: str
    score: Score | None
    clip: str | None = None
    label: str | None = None
    answers: list[Answer]


class Order(BaseModel):
    """A training to be started."""

    model_config = ConfigDict(extra="forbid")

    corpus: Annotated[str, Field(examples=["demo"])]
    model: Annotated[str, Field(examples=["logreg-summary"])]
    seed: Annotated[int, Field(ge=0, le=2**32 - 1)] = 0


class Job(BaseModel):
    """A training: its state, what it does just now, what share of its steps is done, why it went wrong.

    When it is done, `trained` names the model that has taken service.
    """

    id: str
    corpus: str
    model: str
    seed: int
    state: State
    step: str
    share: float
    error: str
    attempt: int
    created: str
    updated: str
    trained: str | None = None


class Problem(BaseModel):
    """What went wrong, as RFC 9457 has it."""

    type: str
    title: str
    status: int
    detail: str
    instance: str | None = None
    errors: list[dict[str, Any]] | None = None
