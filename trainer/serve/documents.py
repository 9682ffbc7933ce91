"""The JSON of the service, as types: what is asked is checked by them, and OpenAPI describes them."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, create_model

from trainer.serve.limits import Limits

MOST_NAMED = 3
"""Mistakes of one request that are named."""

TUNED_OR_SHARE = Literal["tuned"] | Annotated[float, Field(strict=True, ge=0, le=1, allow_inf_nan=False)]


def asked(limits: Limits) -> type[BaseModel]:
    """What `/v1/predict` takes, within the limits."""
    text = Annotated[str, Field(strict=True, max_length=limits.characters)]
    about = "one cut for all emotions, 0..1, or the model's own; left out, the one that the service was started with"
    made: type[BaseModel] = create_model(
        "Asked",
        __config__=ConfigDict(extra="forbid"),
        __doc__="Texts to be judged.",
        texts=(Annotated[list[text], Field(min_length=1, max_length=limits.texts)], ...),
        threshold=(TUNED_OR_SHARE | None, Field(None, description=about)),
    )
    return made


class Felt(BaseModel):
    """An emotion at or over its threshold."""

    emotion: str
    probability: float
    threshold: float


class Result(BaseModel):
    """What one text feels: `emotions` the most probable first, `scores` the probability of each label, 0..1."""

    text: str
    emotions: list[Felt]
    scores: dict[str, float]


class Answer(BaseModel):
    """The results of the texts, in their order: the document of `goemo-tui predict --json`."""

    model: str
    results: list[Result]


class About(BaseModel):
    """Which model answers. `max_length` counts the tokens that it reads of a text; `thresholds` are its own."""

    model: str
    labels: list[str]
    thresholds: dict[str, float]
    max_length: int
    device: str


class State(BaseModel):
    """How the service is: `ok` while it runs; `ready`, `loading`, `failed` or `stopping` where it is asked for that."""

    status: str


class Wrong(BaseModel):
    """What went wrong, and what to do."""

    error: str


def mistakes(error: ValidationError) -> str:
    """What is wrong with a request, in one line, without a word of its texts."""
    found: list[dict[str, Any]] = error.errors(include_url=False, include_context=False, include_input=False)  # type: ignore[assignment]
    told = {}
    for one in found:
        part, *within = one["loc"] or ("",)
        if part == "threshold":
            told["threshold"] = "tuned, or a number from 0 to 1"
        else:
            told[".".join(str(step) for step in (part, *within))[:80]] = one["msg"]
    named = [f"{where}: {what}" if where else what for where, what in list(told.items())[:MOST_NAMED]]
    more = f"; and {len(told) - MOST_NAMED} more" if len(told) > MOST_NAMED else ""
    return "; ".join(named) + more
