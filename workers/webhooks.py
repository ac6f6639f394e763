"""What a provider tells by itself: signed webhooks about fine-tuning jobs (`fine_tuning.job.*`, Standard Webhooks)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
import openai

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from openai.types.webhooks import UnwrapWebhookEvent


def reader(secret: str) -> Callable[[bytes, Mapping[str, str]], str]:
    """Return what reads a webhook's body and headers: the run that it is about, "" where it is about none.

    It raises PermissionError where the signature is not the secret's, or is more than five minutes old.
    """
    client = openai.OpenAI(api_key="unused", webhook_secret=secret, base_url="https://unused.invalid")

    def read(body: bytes, headers: Mapping[str, str]) -> str:
        try:
            event = client.webhooks.unwrap(body, headers)
        except (openai.InvalidWebhookSignatureError, openai.OpenAIError, ValueError) as error:
            raise PermissionError("the webhook is not signed by the provider") from error
        return _run_of(event)

    return read


def _run_of(event: UnwrapWebhookEvent) -> str:
    told = msgspec.convert(event.model_dump(), _Event)
    return told.data.id if told.type.startswith("fine_tuning.job.") else ""


class _Subject(msgspec.Struct):
    id: str = ""


class _Event(msgspec.Struct):
    type: str
    data: _Subject
