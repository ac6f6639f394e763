"""What the SDK raises, in plain words and with what it means for the next step."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any, cast

import openai

from workers.provider import ErrorKind, ProviderError

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
    "model_not_found": (
        ErrorKind.MISSING,
        "The provider does not know this model.",
        "Choose another model; /tune list shows what is here.",
    ),
}


def translate(error: openai.APIError) -> ProviderError:
    """Return the ProviderError for an SDK error."""
    if isinstance(error, openai.APIStatusError):
        return _of_status(error)
    cause = type(error.__cause__).__name__
    if cause in {"ConnectError", "ConnectTimeout", "UnsupportedProtocol", "PoolTimeout"}:
        return ProviderError(
            ErrorKind.RETRY, "unreachable", "The provider cannot be reached.", "I'm trying again by myself."
        )
    # the request may have arrived: nobody knows what became of it
    return ProviderError(
        ErrorKind.UNSURE, "no-answer", "The provider did not answer.", "I'm looking up what became of it."
    )


def _of_status(error: openai.APIStatusError) -> ProviderError:
    code = error.code or ""
    said = _sentence(error)
    if code in HOW_TO_MEND:
        kind, message, hint = HOW_TO_MEND[code]
        return ProviderError(kind, code, message, hint)
    if error.status_code == 401:
        return ProviderError(
            ErrorKind.REFUSED,
            code or "key-refused",
            "The provider refused the API key.",
            "Whoever runs me must set OPENAI_API_KEY to a key that works; then start the job again.",
        )
    if error.status_code == 429:
        return ProviderError(
            ErrorKind.RETRY,
            code or "rate-limited",
            "The provider is busy and asked me to wait.",
            "I'm trying again by myself.",
            retry_after_s=_retry_after_s(error),
        )
    if error.status_code == 404:
        return ProviderError(
            ErrorKind.MISSING, code or "missing", "The provider has no such thing.", "Look at what it says.", said=said
        )
    if error.status_code in {408, 409} or error.status_code >= 500:
        return ProviderError(
            ErrorKind.UNSURE,
            code or f"http-{error.status_code}",
            f"The provider failed (HTTP {error.status_code}).",
            "I'm trying again by myself.",
            retry_after_s=_retry_after_s(error),
        )
    return ProviderError(
        ErrorKind.REFUSED,
        code or f"http-{error.status_code}",
        "The provider refused it.",
        "Change what it names and try again.",
        said=said,
    )


def _sentence(error: openai.APIStatusError) -> str:
    if isinstance(error.body, dict):
        body = cast("dict[str, Any]", error.body)
        return str(body.get("message") or error.message)[:300]
    return f"HTTP {error.status_code}"


def _retry_after_s(error: openai.APIStatusError) -> float | None:
    with contextlib.suppress(ValueError):
        return max(0.0, min(600.0, float(error.response.headers.get("retry-after", ""))))
    return None


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
