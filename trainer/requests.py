"""What clients send, read with pydantic: a job to create, a chat, a prompt, a page of a list."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Annotated, Any, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from trainer.refusals import Refusal, first_problem

if TYPE_CHECKING:
    from starlette.requests import Request

JSON_BYTES = 16 * 1024 * 1024
CHOICES = 8  # answers to one request; each costs as much as the first
UPLOAD_BYTES = 8 * 1024**3

Auto = Literal["auto"]
Metadata = Annotated[
    dict[Annotated[str, Field(max_length=64)], Annotated[str, Field(max_length=512)]], Field(max_length=16)
]
Seed = Annotated[int, Field(ge=0, le=2147483647, strict=True)]


class Body(BaseModel):
    """A request body; unknown parameters are refused, as OpenAI does, so that a typo is not a silent default."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class LooseBody(BaseModel):
    """A request body whose many optional parameters that change nothing here (`user`, `store`, ...) are let pass."""

    model_config = ConfigDict(extra="allow", frozen=True)


class Hyperparameters(Body):
    """What a person asked for; "auto" leaves the choice to the trainer."""

    batch_size: Auto | Annotated[int, Field(ge=1, le=256, strict=True)] | None = "auto"
    learning_rate_multiplier: Auto | Annotated[float, Field(gt=0, allow_inf_nan=False)] = "auto"
    n_epochs: Auto | Annotated[int, Field(ge=1, le=50, strict=True)] = "auto"


class PreferenceHyperparameters(Hyperparameters):
    """The same, and how strongly the model is held to the reference."""

    beta: Auto | Annotated[float, Field(gt=0, le=2, allow_inf_nan=False)] = "auto"


class Supervised(Body):
    hyperparameters: Hyperparameters = Hyperparameters()


class Preference(Body):
    hyperparameters: PreferenceHyperparameters = PreferenceHyperparameters()


class Method(BaseModel):
    """How to train. Reinforcement is named, to be refused by name: it needs a grader, which is not here."""

    model_config = ConfigDict(extra="allow", frozen=True)
    type: Literal["supervised", "dpo", "reinforcement"]
    supervised: Supervised = Supervised()
    dpo: Preference = Preference()


class JobRequest(Body):
    model: str
    training_file: str
    validation_file: str | None = None
    suffix: Annotated[str, Field(min_length=1, max_length=64)] | None = None
    seed: Seed | None = None
    metadata: Metadata | None = None
    integrations: list[dict[str, Any]] | None = None
    method: Method | None = None
    hyperparameters: Hyperparameters | None = None


class ExpiresAfter(LooseBody):
    """How long a file is kept."""

    anchor: Literal["created_at"]
    seconds: Annotated[int, Field(ge=3600, le=2592000, strict=True)]


class UploadRequest(Body):
    bytes: Annotated[int, Field(ge=1, le=UPLOAD_BYTES, strict=True)]
    filename: Annotated[str, Field(min_length=1, max_length=1024)]
    mime_type: str
    purpose: Literal["fine-tune"]
    expires_after: ExpiresAfter | None = None


class CompleteUpload(Body):
    part_ids: Annotated[list[str], Field(min_length=1, max_length=10_000)]
    md5: str | None = None


class StreamOptions(LooseBody):
    include_usage: bool | None = False


class Sampled(LooseBody):
    """What chat and plain completions share."""

    model: str
    temperature: Annotated[float, Field(ge=0, le=2)] | None = 1.0
    top_p: Annotated[float, Field(gt=0, le=1)] | None = 1.0
    max_tokens: Annotated[int, Field(ge=1)] | None = None
    stop: str | Annotated[list[str], Field(max_length=4)] | None = None
    seed: int | None = None
    stream: bool | None = False
    stream_options: StreamOptions | None = None
    n: Annotated[int, Field(ge=1, le=CHOICES)] | None = 1


class ChatMessage(LooseBody):
    role: Literal["system", "developer", "user", "assistant"]
    content: str | list[dict[str, Any]]
    name: str | None = None


class ChatRequest(Sampled):
    messages: Annotated[list[ChatMessage], Field(min_length=1)]
    max_completion_tokens: Annotated[int, Field(ge=1)] | None = None
    logprobs: bool | None = False
    top_logprobs: Annotated[int, Field(ge=0, le=20)] | None = None


class PromptRequest(Sampled):
    prompt: str = ""
    logprobs: Annotated[int, Field(ge=0, le=5)] | None = None


AnyBody = TypeVar("AnyBody", bound=BaseModel)


async def read_body(request: Request, kind: type[AnyBody]) -> AnyBody:
    """Read a JSON body of the given kind. Raises Refusal."""
    received = bytearray()
    async for chunk in request.stream():
        received += chunk
        if len(received) > JSON_BYTES:
            raise Refusal(413, f"The request is larger than {JSON_BYTES // 1024 // 1024} MB.")
    try:
        raw = json.loads(received)
    except (ValueError, RecursionError) as error:
        raise Refusal(400, "We could not parse the JSON body of your request.") from error
    if not isinstance(raw, dict):
        raise Refusal(400, "The JSON body of your request must be an object.")
    try:
        return kind.model_validate(raw)
    except ValidationError as error:
        raise first_problem(error) from error


def read_limit(request: Request, default: int, most: int) -> int:
    """Read `limit` from the query; a larger one than `most` gets as many as there may be. Raises Refusal."""
    raw = request.query_params.get("limit", str(default))
    if not raw.isascii() or not raw.isdigit() or not raw.strip("0"):
        raise Refusal(400, "'limit' must be a whole number from 1.", code="invalid_value", param="limit")
    return most if len(raw) > 9 else min(most, int(raw))
