"""Signed HTTP: events, interactions and commands posted to the app's own address."""

import asyncio
import hashlib
import hmac
import json
import secrets
import time
from typing import Any
from urllib.parse import urlencode

import httpx2

from sandbox.delivery import Ack, Envelope
from sandbox.people import APP_ID
from sandbox.store import Store

Json = dict[str, Any]

FIRST_PAUSE_S, LONGEST_PAUSE_S = 0.05, 2.0


def sign(secret: str, timestamp: str, body: bytes) -> str:
    """Return Slack's v0 signature of a request's body."""
    base = b"v0:" + timestamp.encode() + b":" + body
    return "v0=" + hmac.new(secret.encode(), base, hashlib.sha256).hexdigest()


class SignedHttp:
    """The line to an app that listens. The address is verified first (`url_verification`), as Slack does."""

    def __init__(self, url: str, secret: str, store: Store) -> None:
        self._url = url
        self._secret = secret
        self._store = store
        # Loopback to loopback: a proxy in the environment has no business here.
        self._client = httpx2.AsyncClient(trust_env=False)
        self._verified = asyncio.Event()
        self._show()

    async def verify(self) -> None:
        """Post the challenge until the app answers it; runs until then."""
        pause_s = FIRST_PAUSE_S
        while not self._verified.is_set():
            challenge = secrets.token_hex(16)
            body = {"type": "url_verification", "token": "local", "challenge": challenge}
            try:
                answer = await self._post(json.dumps(body).encode(), "application/json", {}, 3.0)
                if answer.status_code == 200 and challenge in answer.text:
                    self._verified.set()
                    break
            except httpx2.HTTPError:
                pass
            await asyncio.sleep(pause_s)
            pause_s = min(pause_s * 2, LONGEST_PAUSE_S)
        self._show()

    async def ready(self, timeout_s: float) -> bool:
        """Wait until the app's address has been verified."""
        try:
            await asyncio.wait_for(self._verified.wait(), timeout_s)
        except TimeoutError:
            return False
        return True

    async def send(self, envelope: Envelope, timeout_s: float) -> Ack:
        """Post one envelope; its acknowledgement is a 2xx answer in time."""
        body, content_type = encode(envelope)
        headers: dict[str, str] = {}
        if envelope.retry_num:
            reason = "http_timeout" if envelope.retry_reason == "timeout" else envelope.retry_reason
            headers = {"x-slack-retry-num": str(envelope.retry_num), "x-slack-retry-reason": reason}
        try:
            answer = await self._post(body, content_type, headers, timeout_s)
        except httpx2.TimeoutException:
            return Ack("timeout")
        except httpx2.HTTPError:
            return Ack("not_connected")
        no_retry = answer.headers.get("x-slack-no-retry") == "1"
        if not answer.is_success:
            return Ack("http_error", no_retry=no_retry)
        return Ack("acked", payload_of(answer), no_retry=no_retry)

    async def close(self) -> None:
        """Close the client."""
        await self._client.aclose()

    async def _post(self, body: bytes, content_type: str, headers: dict[str, str], timeout_s: float) -> httpx2.Response:
        timestamp = str(int(time.time()))
        signed = {
            "content-type": content_type,
            "x-slack-request-timestamp": timestamp,
            "x-slack-signature": sign(self._secret, timestamp, body),
            "user-agent": "Slackbot 1.0 (+https://api.slack.com/robots)",
        }
        return await self._client.post(self._url, content=body, headers={**signed, **headers}, timeout=timeout_s)

    def _show(self) -> None:
        state = {"mode": "http", "connections": int(self._verified.is_set()), "url": self._url, "app_id": APP_ID}
        self._store.put("connection", "app", state)


def encode(envelope: Envelope) -> tuple[bytes, str]:
    """Encode an envelope as Slack posts it: events as JSON, interactions and commands as forms."""
    if envelope.kind == "events_api":
        return json.dumps(envelope.payload).encode(), "application/json"
    form = envelope.payload if envelope.kind == "slash_commands" else {"payload": json.dumps(envelope.payload)}
    return urlencode(form).encode(), "application/x-www-form-urlencoded"


def payload_of(answer: httpx2.Response) -> Json | None:
    """Read what the app said with its acknowledgement: JSON, or plain text meant as a message."""
    if not answer.content.strip():
        return None
    try:
        decoded = answer.json()
    except ValueError:
        return {"text": answer.text}
    return decoded if isinstance(decoded, dict) else {"text": answer.text}  # pyright: ignore[reportUnknownVariableType]
