"""What the SDK loads on first use, loaded before it is needed.

A worker forks a child for each task. What the child loads it loads for itself alone, for every task anew: a tenth of a
second of a core before the first word to the provider.
"""

from __future__ import annotations

import functools
import operator
from typing import TYPE_CHECKING, Final

import httpx2
import openai

if TYPE_CHECKING:
    import ssl

USED: Final = operator.attrgetter(
    "models", "files", "uploads.parts", "fine_tuning.jobs.checkpoints", "chat.completions", "completions"
)


@functools.cache
def authorities() -> ssl.SSLContext:
    """Return the authorities whose certificates are believed: the SDK's, read once and not by each client."""
    return httpx2.create_ssl_context()


def load_sdk() -> None:
    """Load the parts of the SDK that the adapter uses, and its HTTP client; nobody is connected to."""
    http_client = openai.DefaultHttpxClient(verify=authorities())
    with openai.OpenAI(api_key="none", base_url="http://127.0.0.1:9/v1", http_client=http_client) as client:
        USED(client)
    "localhost".encode("idna")  # what looking up an address loads
