"""What a provider's refusal means for the next step, whichever protocol it came by, in words for people."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

from workers.provider import ErrorKind, ProviderError

if TYPE_CHECKING:
    from collections.abc import Mapping

LOOKS_IT_UP = "I'm looking up what became of it."
TRIES_AGAIN = "I'm trying again by myself."


def unreachable() -> ProviderError:
    """Return the error for a request that surely never left."""
    return ProviderError(ErrorKind.RETRY, "unreachable", "The provider cannot be reached.", TRIES_AGAIN)


def no_answer() -> ProviderError:
    """Return the error for a request that may have arrived: nobody knows what became of it."""
    return ProviderError(ErrorKind.UNSURE, "no-answer", "The provider did not answer.", LOOKS_IT_UP)


def unreadable() -> ProviderError:
    """Return the error for an answer to a question that makes no sense; asking again does no harm."""
    return ProviderError(ErrorKind.RETRY, "unreadable", "The provider's answer cannot be read.", TRIES_AGAIN)


def of_status(status: int, *, code: str, said: str, retry_after_s: float | None, key: str) -> ProviderError:
    """Return the error for an HTTP status. `said`: the provider's own words. `key`: the setting that holds the key."""
    if status == 401:
        hint = f"Whoever runs me must set {key} to a key that works; then start the job again."
        return ProviderError(ErrorKind.REFUSED, code or "key-refused", "The provider refused the API key.", hint)
    if status == 403:
        hint = "Whoever runs me must give the key the right to, or another key; then start the job again."
        message = "The provider does not allow this key to do that."
        return ProviderError(ErrorKind.REFUSED, code or "forbidden", message, hint, said=said)
    if status == 429:
        message = "The provider is busy and asked me to wait."
        return ProviderError(ErrorKind.RETRY, code or "rate-limited", message, TRIES_AGAIN, retry_after_s=retry_after_s)
    if status == 404:
        message = "The provider has no such thing."
        return ProviderError(ErrorKind.MISSING, code or "missing", message, "Look at what it says.", said=said)
    if status in {408, 409} or status >= 500:
        message = f"The provider failed (HTTP {status})."
        return ProviderError(
            ErrorKind.UNSURE, code or f"http-{status}", message, TRIES_AGAIN, retry_after_s=retry_after_s
        )
    hint = "Change what it names and try again."
    return ProviderError(ErrorKind.REFUSED, code or f"http-{status}", "The provider refused it.", hint, said=said)


def retry_after_s(headers: Mapping[str, str]) -> float | None:
    """Return how long the other side asks to be left alone, at most ten minutes; None where it does not say."""
    with contextlib.suppress(ValueError):
        return max(0.0, min(600.0, float(headers.get("retry-after", ""))))
    return None
