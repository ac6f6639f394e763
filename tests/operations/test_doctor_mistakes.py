"""`tuneroom doctor` and the mistakes that people make: an address, a name, a secret in the wrong place."""

from __future__ import annotations

import dataclasses
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING

import pytest

from finetune.catalogue import Catalogue
from finetune.errors import UserError
from tests.operations.test_doctor import of, settings, stack
from tuneroom import wiring
from tuneroom.doctor import provider, slack
from tuneroom.doctor.verdict import Level
from tuneroom.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

__all__ = ["settings", "stack"]

PAGE = b"<!doctype html><title>It works</title>"


class Page(BaseHTTPRequestHandler):
    """A page for people, where an API was expected."""

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.send_header("Content-Length", str(len(PAGE)))
        self.end_headers()
        self.wfile.write(PAGE)

    def do_POST(self) -> None:
        self.do_GET()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class names it so
        """Say nothing."""


@pytest.fixture
def page() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Page) as server:
        serving = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
        serving.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        serving.join()


def test_an_address_without_its_path_is_named(settings: Settings) -> None:
    short = dataclasses.replace(settings, openai_base_url=settings.openai_base_url.removesuffix("/v1"))
    verdict = of(provider.examine(short, Catalogue.load()), "provider")
    assert (verdict.level, verdict.mend) == (Level.WRONG, "Look at OPENAI_BASE_URL: most addresses end in /v1, once.")


def test_a_page_in_place_of_an_api_is_named(settings: Settings, page: str) -> None:
    there = dataclasses.replace(settings, openai_base_url=f"{page}/v1")
    verdict = of(provider.examine(there, Catalogue.load()), "provider")
    assert verdict.level is Level.WRONG
    assert verdict.found.startswith(f"{page}/v1 answers otherwise than a provider")
    assert "OPENAI_BASE_URL" in verdict.mend


def test_a_server_that_is_not_there_is_named_with_where_to_look() -> None:
    nowhere = Settings(openai_api_key="k" * 20, openai_base_url="http://127.0.0.1:1/v1")
    verdict = of(provider.examine(nowhere, Catalogue.load()), "provider")
    assert (verdict.level, "unreachable" in verdict.found) == (Level.WRONG, True)
    assert verdict.mend.startswith("Look at OPENAI_BASE_URL and the network")


def test_a_provider_whose_address_is_missing_is_named_and_never_taken_for_openai() -> None:
    """OpenAI's SDK would send the key, and then the rows, to OpenAI."""
    first = Settings(provider="azure", openai_api_key="k" * 20)
    further = Settings(provider="openai,trainer", openai_api_key="", trainer_api_key="k" * 20)
    for told, address in ((first, "OPENAI_BASE_URL"), (further, "TUNEROOM_TRAINER_BASE_URL")):
        with pytest.raises(UserError, match=f"{address} is not set"):
            wiring.providers_of(told)
    verdict = of(provider.examine(first, Catalogue.load()), "provider")
    assert (verdict.level, verdict.found) == (Level.WRONG, "OPENAI_BASE_URL is not set.")


def test_a_provider_written_wrongly_is_named_with_those_there_are() -> None:
    verdict = of(provider.examine(Settings(provider="OpenAI"), Catalogue.load()), "TUNEROOM_PROVIDER")
    assert (verdict.level, "openai, trainer, azure" in verdict.mend) == (Level.WRONG, True)
    added = Catalogue.load(b'{"services": [{"name": "gateway"}]}')
    known = provider.examine(Settings(provider="gateway"), added)
    assert "TUNEROOM_PROVIDER" not in {one.subject for one in known}


@pytest.mark.parametrize("path", ["/", "/api/"])
def test_an_address_that_is_not_slacks_is_named(settings: Settings, page: str, path: str) -> None:
    there = dataclasses.replace(settings, slack_api_url=page + path)
    (verdict,) = slack.examine(there).verdicts
    assert (verdict.subject, verdict.level) == ("SLACK_API_URL", Level.WRONG)
    assert "html" not in verdict.found.lower()


def test_a_secret_for_webhooks_that_helps_nothing_is_named(settings: Settings) -> None:
    subject = "provider's webhooks"
    by_socket = dataclasses.replace(settings, provider_webhook_secret="whsec_1")
    assert of(slack.examine(by_socket).verdicts, subject).level is Level.WARNING
    by_http = dataclasses.replace(by_socket, slack_app_token="", slack_signing_secret="0" * 32)
    assert of(slack.examine(by_http).verdicts, subject).level is Level.OK
    odd = dataclasses.replace(by_http, provider_webhook_secret="sk-1")
    assert of(slack.examine(odd).verdicts, subject).level is Level.WARNING


def test_a_price_table_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="No such file") as refused:
        wiring.catalogue_of(Settings(price_table=str(tmp_path / "prices.json")))
    assert "/etc/tuneroom/NAME.json" in refused.value.hint
