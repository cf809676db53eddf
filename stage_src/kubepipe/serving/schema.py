"""What goes in and out over HTTP."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)]
# Not stripped: places in an answer are places in the text that the caller sent.
Context = Annotated[str, StringConstraints(pattern=r"\S")]


class Ask(BaseModel):
    """Questions on a context."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    context: Context = Field(description="The text that the answers stand in.")
    questions: list[Text] = Field(min_length=1, description="Questions on it; they share one reading of the context.")


class Answer(BaseModel):
    """An answer."""

    answer: str = Field(description="The answer; empty where the context holds none.")
    no_answer: bool = Field(description="Whether the model says that the context does not answer the question.")
    confidence: float = Field(
        description="Geometric mean of the probabilities of the answer's tokens, 0 to 1. It is not calibrated."
    )
    start: int | None = Field(
        description="Where the answer first stands in the context, in code points; null where it does not literally."
    )
    end: int | None = Field(description="Where it ends.")


class Answers(BaseModel):
    """Answers in the order of the questions."""

    release: str = Field(description="Digest of the release that answered; see /v1/provenance.")
    windows: int = Field(
        description="Pieces that the context was read in; more than 1 where it is longer than the window."
    )
    notes: list[str] = Field(
        description="What to know about this answer, for example that the context was cut into windows."
    )
    answers: list[Answer]


class Provenance(BaseModel):
    """Where the release comes from."""

    release: str = Field(description="Digest of the release.")
    record: dict[str, Any] = Field(description="Its record: digests, scores, energy, privacy, versions.")
    statements: list[dict[str, Any]] = Field(description="In-toto statements, one per step, from the source on.")


class Problem(BaseModel):
    """Why a request was refused; it never repeats the request."""

    code: str
    message: str
