"""Bytes from Slack, suspiciously: only from its hosts, with a cap, and never a login page taken for a dataset."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final
from urllib.parse import urljoin, urlsplit

import httpx2

from finetune.errors import UserError

if TYPE_CHECKING:
    from collections.abc import Iterator

SLACK_HOSTS: Final = ("slack.com", "slack-files.com", "slack-edge.com")
REDIRECTS_MAX: Final = 3
BLOCK_BYTES: Final = 1 << 18


class TryAgainError(Exception):
    """Slack did not give the bytes this time."""


def download(url: str, *, token: str, api_url: str, expected_bytes: int, max_bytes: int) -> Iterator[bytes]:
    """Yield a file's bytes; UserError where they cannot be had, TryAgainError where another time they may be.

    Without the right scope Slack answers 200 with a login page, or redirects to one. The token goes to the first
    host only.
    """
    headers = {"Authorization": f"Bearer {token}"}
    try:
        with httpx2.Client(timeout=httpx2.Timeout(30.0, connect=5.0)) as client:
            for _ in range(REDIRECTS_MAX):
                _insist_on_slack(url, api_url)
                with client.stream("GET", url, headers=headers) as answer:
                    if not answer.is_redirect:
                        yield from _checked(answer, expected_bytes, max_bytes)
                        return
                    url, headers = urljoin(url, answer.headers["location"]), {}
    except httpx2.HTTPError as error:
        raise TryAgainError(type(error).__name__) from error
    raise LOGIN_PAGE


def _insist_on_slack(url: str, api_url: str) -> None:
    parts, own = urlsplit(url), urlsplit(api_url)
    host = (parts.hostname or "").lower()
    is_slack = parts.scheme == "https" and any(host == name or host.endswith(f".{name}") for name in SLACK_HOSTS)
    if not is_slack and (parts.scheme, parts.netloc) != (own.scheme, own.netloc):
        raise UserError(
            "file-elsewhere",
            "This file is not kept by Slack, so I did not fetch it.",
            "Download it and drop the file itself here.",
        )


def _checked(answer: httpx2.Response, expected_bytes: int, max_bytes: int) -> Iterator[bytes]:
    if answer.status_code == 429 or answer.status_code >= 500:
        raise TryAgainError(f"HTTP {answer.status_code}")
    if answer.status_code != 200:
        raise LOGIN_PAGE if answer.status_code in {401, 403} else GONE
    is_page = answer.headers.get("content-type", "").startswith("text/html")
    size, head = 0, b""
    for block in answer.iter_bytes(BLOCK_BYTES):
        head = head or block[:512].lstrip().lower()
        if head.startswith((b"<!doctype", b"<html")) or (is_page and head.startswith(b"<")):
            raise LOGIN_PAGE
        size += len(block)
        if size > max_bytes:
            raise too_large(max_bytes)
        yield block
    if expected_bytes and size < expected_bytes:
        raise TryAgainError(f"{size} of {expected_bytes} bytes")


LOGIN_PAGE: Final = UserError(
    "login-page",
    "Slack gave me a login page in place of the file: I am not allowed to read files here.",
    "Ask whoever runs me to give the app the files:read scope and to install it again, then drop the file anew.",
)
GONE: Final = UserError("file-gone", "Slack no longer has this file.", "Drop it here once more.")


def too_large(max_bytes: int) -> UserError:
    """Return the refusal of a file over the limit."""
    return UserError(
        "file-too-large",
        f"The file is larger than {max_bytes // (1024 * 1024):,} MB, the most I take.",
        "Split it, or drop a sample of its rows.",
    )
