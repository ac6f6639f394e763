"""Whether an account may train, as far as calls tell that cost nothing and start nothing.

OpenAI tells an account that it may not train (`training_not_available`) only when a run is created, and there is no
other call that would say so. A create that must fail, say with a file that there is not, would perhaps say it, too; but
what a provider does first, look at the account or at the file, is nowhere promised, and of a request whose purpose is
to start a paid run none is sent that nobody confirmed. So this asks by GET alone, and believes only a plain no.
"""

from __future__ import annotations

import logging
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any, Final

import openai

from workers.openai_errors import HOW_TO_MEND, translate
from workers.provider import ErrorKind, ProviderError

if TYPE_CHECKING:
    from collections.abc import Callable

log = logging.getLogger(__name__)

TIMEOUT_S: Final = 10.0


def insist(client: openai.OpenAI, model: str, *, today: date) -> None:
    """Raise ProviderError where the key may not list fine-tunes, or the model says that it is trained no more."""
    patient = client.with_options(timeout=TIMEOUT_S)
    _asked(lambda: patient.fine_tuning.jobs.list(limit=1))
    found = _asked(lambda: patient.models.retrieve(model))
    if found is not None and (ended := ended_of(found, today)):
        raise ProviderError(
            ErrorKind.NOT_AVAILABLE,
            "model-not-trained",
            f"The provider does not train this model: {ended}.",
            "Nothing was charged. Choose another model, or another provider.",
        )


def refusal_of(error: openai.APIStatusError) -> ProviderError:
    """Return the error of a key that may not even list fine-tunes."""
    said = translate(error)
    if not isinstance(error, openai.PermissionDeniedError) or said.code in HOW_TO_MEND:
        return said
    return ProviderError(
        ErrorKind.NOT_AVAILABLE,
        said.code,
        "This account, or its key, may not fine-tune at this provider.",
        "Nothing was sent or charged. Whoever runs me must give the key the right to, or choose another provider.",
        said=said.said,
    )


def ended_of(model: Any, today: date) -> str:
    """Return why a listed model is trained no more, "" where it does not say so.

    OpenAI tells `shutdown_date`; Azure `capabilities.fine_tune` and `deprecation.fine_tune`, seconds since 1970
    (`Model` of its authoring API).
    """
    if (stopped := shutdown_of(model)) and stopped <= today:
        return f"it stopped on {stopped}"
    if _within(model, "capabilities", "fine_tune") is False:
        return "it says so itself"
    if (last := _day(_within(model, "deprecation", "fine_tune"))) and last <= today:
        return f"it took no new runs from {last} on"
    return ""


def shutdown_of(model: Any) -> date | None:
    """Return the day on which a listed model stops, None where none is told, or none that can be read.

    OpenAI tells `shutdown_date`, Azure `deprecation.inference`.
    """
    told = getattr(model, "shutdown_date", None)
    if not isinstance(told, str):
        return _day(_within(model, "deprecation", "inference"))
    try:
        return date.fromisoformat(told)
    except ValueError:
        return None


def _day(seconds: Any) -> date | None:
    """A day in seconds since 1970."""
    return datetime.fromtimestamp(seconds, UTC).date() if isinstance(seconds, (int, float)) else None


def _within(model: Any, name: str, field: str) -> Any:
    """A field of an object that the SDK does not know, and gives as a dictionary."""
    found = getattr(model, name, None)
    return found.get(field) if isinstance(found, dict) else None  # pyright: ignore[reportUnknownMemberType, reportUnknownVariableType]


def _asked(ask: Callable[[], Any]) -> Any:
    """What the provider answers; None where it does not, or does not know the address, which says nothing."""
    try:
        return ask()
    except (openai.AuthenticationError, openai.PermissionDeniedError) as error:
        raise refusal_of(error) from error
    except openai.OpenAIError as error:
        log.info("permission.unknown", extra={"reason": type(error).__name__})
        return None
