"""What a provider tells by itself: signed webhooks about fine-tuning jobs (`fine_tuning.job.*`, Standard Webhooks)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import msgspec
import openai

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


class _Event(msgspec.Struct):
    type: Any = ""
    data: Any = None


def reader(secret: str) -> Callable[[bytes, Mapping[str, str]], str]:
    """Return what reads a webhook's body and headers: the run that it is about, "" where it is about none.

    It raises PermissionError where the signature is not the secret's, or is more than five minutes old. What is signed
    and no event that we know is about no run: refused, it would be sent again and again for days.
    """
    client = openai.OpenAI(api_key="unused", webhook_secret=secret, base_url="https://unused.invalid")

    def read(body: bytes, headers: Mapping[str, str]) -> str:
        try:
            client.webhooks.verify_signature(body, headers)
        except (openai.InvalidWebhookSignatureError, openai.OpenAIError, ValueError) as error:
            raise PermissionError("the webhook is not signed by the provider") from error
        return _run_of(body)

    return read


def _run_of(body: bytes) -> str:
    try:
        told = msgspec.json.decode(body, type=_Event)
    except msgspec.DecodeError:
        return ""
    about = cast("dict[str, Any]", told.data) if isinstance(told.data, dict) else {}
    run = about.get("id")
    return run if str(told.type).startswith("fine_tuning.job.") and isinstance(run, str) else ""
