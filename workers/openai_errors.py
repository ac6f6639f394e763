"""What the SDK raises, in plain words and with what it means for the next step."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any, Final, cast

import openai

from workers.provider import ErrorKind, ProviderError
from workers.refusals import no_answer, of_status, retry_after_s, unreachable

if TYPE_CHECKING:
    from collections.abc import Generator

HOW_TO_MEND: dict[str, tuple[ErrorKind, str, str]] = {
    "training_not_available": (
        ErrorKind.NOT_AVAILABLE,
        "This account may not start fine-tunes at this provider any more.",
        "Nothing was charged. It stays that way, so choose another provider or your own trainer.",
    ),
    "insufficient_quota": (
        ErrorKind.QUOTA,
        "The provider's account has no credit left.",
        "Top it up or raise its limit, then start the job again.",
    ),
    "billing_not_active": (
        ErrorKind.QUOTA,
        "The provider's account cannot pay: its billing is not active.",
        "Set up billing there, then start the job again.",
    ),
    "billing_hard_limit_reached": (
        ErrorKind.QUOTA,
        "The provider's account has reached the limit that was set for what it may spend.",
        "Raise that limit there, then start the job again.",
    ),
    "account_deactivated": (
        ErrorKind.REFUSED,
        "The provider has closed this account.",
        "Whoever runs me must set the key of another account, or ask the provider why.",
    ),
    "unsupported_country_region_territory": (
        ErrorKind.NOT_AVAILABLE,
        "The provider does not serve the place I run in.",
        "Choose another provider or your own trainer.",
    ),
    "model_not_found": (
        ErrorKind.MISSING,
        "The provider does not know this model.",
        "Choose another model; /tune list shows what is here.",
    ),
    # Azure's own codes (ErrorCode of its authoring API, and of its deployments)
    "quotaExceeded": (
        ErrorKind.QUOTA,
        "The provider's quota is used up.",
        "Free some of it or have it raised, then start the job again.",
    ),
    "unexpectedEntityState": (
        ErrorKind.RETRY,
        "The provider is not ready for that yet.",
        "I'm trying again by myself.",
    ),
    "DeploymentNotFound": (
        ErrorKind.MISSING,
        "The model is not deployed at the provider.",
        "Deploy it there under its own name; I notice it by myself.",
    ),
}

KEY: Final = "OPENAI_API_KEY, or this provider's own key,"
CUT_OFF: Final = frozenset({"ConnectError", "ConnectTimeout", "UnsupportedProtocol", "PoolTimeout"})
"""Why a request surely never left."""


def translate(error: openai.APIError) -> ProviderError:
    """Return the ProviderError for an SDK error."""
    if isinstance(error, openai.APIStatusError):
        return _of_status(error)
    return unreachable() if type(error.__cause__).__name__ in CUT_OFF else no_answer()


def _of_status(error: openai.APIStatusError) -> ProviderError:
    # some answers about accounts have no code, and say by their type which one it would be
    # and some servers give the HTTP status as a number for one
    named = [str(one) for one in (error.code, error.type) if isinstance(one, str | int)]
    code = next((one for one in named if one in HOW_TO_MEND), str(error.code or ""))
    if code in HOW_TO_MEND:
        kind, message, hint = HOW_TO_MEND[code]
        return ProviderError(kind, code, message, hint)
    wait_s = retry_after_s(error.response.headers)
    return of_status(error.status_code, code=code, said=_sentence(error), retry_after_s=wait_s, key=KEY)


def _sentence(error: openai.APIStatusError) -> str:
    if isinstance(error.body, dict):
        body = cast("dict[str, Any]", error.body)
        return str(body.get("message") or body.get("detail") or error.message)[:300]
    return f"HTTP {error.status_code}"


@contextlib.contextmanager
def plain_words() -> Generator[None]:
    """Turn what the SDK raises into ProviderError."""
    try:
        yield
    except openai.APIError as error:
        raise translate(error) from error
    except openai.OpenAIError as error:
        raise ProviderError(
            ErrorKind.REFUSED, "sdk", f"The provider's client refused it: {error}", "Ask whoever runs me."
        ) from error
