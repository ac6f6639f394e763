"""What Together's SDK raises, in plain words and with what it means for the next step.

An error's body is `{"error": {"message", "type", "param", "code"}}` (`ErrorData` of togethercomputer/openapi); unlike
OpenAI's SDK this one hands on the whole of it.
"""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any, cast

from workers.provider import ErrorKind, ProviderError
from workers.refusals import TRIES_AGAIN, no_answer, of_status, retry_after_s, unreachable

if TYPE_CHECKING:
    from collections.abc import Generator

    import together

KEY = "TUNEROOM_TOGETHER_API_KEY"
NEVER_SENT = frozenset({"ConnectError", "ConnectTimeout", "UnsupportedProtocol", "PoolTimeout"})


@contextlib.contextmanager
def plain_words() -> Generator[None]:
    """Turn what the SDK raises into ProviderError; uploads go past it and raise httpx's errors."""
    import httpx  # noqa: PLC0415 - with the SDK, where a job is at Together
    import together  # noqa: PLC0415 - likewise

    try:
        yield
    except together.APIStatusError as error:
        raise _of_status(error) from error
    except together.APIError as error:
        raise _unsent_or_unsure(error.__cause__) from error
    except httpx.HTTPError as error:
        raise _unsent_or_unsure(error) from error
    except together.TogetherError as error:
        raise ProviderError(
            ErrorKind.REFUSED, "sdk", f"The provider's client refused it: {error}", "Ask whoever runs me."
        ) from error


@contextlib.contextmanager
def nothing_paid_yet() -> Generator[None]:
    """Say of what went wrong before the one request that costs money: it may simply be tried again."""
    try:
        yield
    except ProviderError as error:
        if error.kind is not ErrorKind.UNSURE:
            raise
        raise ProviderError(
            ErrorKind.RETRY, error.code, error.message, error.hint, retry_after_s=error.retry_after_s
        ) from error


def not_trained(error: ProviderError) -> ProviderError:
    """Return the error for a model that the provider does not train, or not for this account."""
    return ProviderError(
        ErrorKind.NOT_AVAILABLE,
        "model-not-trained",
        "The provider does not train this model. Nothing was sent or charged.",
        "Choose another model, or another provider.",
        said=error.said,
    )


def _unsent_or_unsure(cause: BaseException | None) -> ProviderError:
    return unreachable() if type(cause).__name__ in NEVER_SENT else no_answer()


def _of_status(error: together.APIStatusError) -> ProviderError:
    if error.request.method == "PUT":  # bytes on their way to the address that the provider named, which ages
        message = "The provider's store did not take the file."
        return ProviderError(ErrorKind.RETRY, f"store-{error.status_code}", message, TRIES_AGAIN)
    told = _told(error.body)
    code = str(told.get("code") or "")
    if error.status_code == 402:
        return ProviderError(
            ErrorKind.QUOTA,
            code or "no-credit",
            "The provider's account has no credit left.",
            "Top it up or raise its limit, then start the job again.",
        )
    return of_status(
        error.status_code,
        code=code,
        said=str(told.get("message") or f"HTTP {error.status_code}")[:300],
        retry_after_s=retry_after_s(error.response.headers),
        key=KEY,
    )


def _told(body: object) -> dict[str, Any]:
    whole = cast("dict[str, Any]", body) if isinstance(body, dict) else {}
    error = whole.get("error", whole)
    return cast("dict[str, Any]", error) if isinstance(error, dict) else {"message": error}
