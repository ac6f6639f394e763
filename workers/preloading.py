"""What the SDK loads on first use, loaded before it is needed.

A worker forks a child for each task. What the child loads it loads for itself alone, for every task anew: a tenth of a
second of a core before the first word to the provider.
"""

from __future__ import annotations

import operator
from typing import Final

import openai

USED: Final = operator.attrgetter(
    "models", "files", "uploads.parts", "fine_tuning.jobs.checkpoints", "chat.completions", "completions"
)


def load_sdk() -> None:
    """Load the parts of the SDK that the adapter uses, and its HTTP client; nobody is connected to."""
    with openai.OpenAI(api_key="none", base_url="http://127.0.0.1:9/v1", max_retries=0) as client:
        USED(client)
    "localhost".encode("idna")  # what looking up an address loads
