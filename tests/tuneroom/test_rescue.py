"""`tuneroom rescue` as somebody starts it, against an account in OpenAI's shapes; and the folder it fills."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import io
import json
import subprocess
import sys
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from finetune.catalogue import Catalogue
from finetune.errors import UserError
from finetune.last_days import distance
from tests.support.old_account import BASE, RESULTS, OldAccount, a_run, rows
from tuneroom.rescue import command
from tuneroom.rescue.listing import fine_tunes
from tuneroom.rescue.saving import Saving, Tally
from tuneroom.rescue.shelf import NAME_MAX, Shelf, safe
from tuneroom.settings import Settings, environment
from workers.archive import PortArchive
from workers.endpoint import Endpoint
from workers.openai_protocol import OpenAIProtocol

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[2]
OUTSIDE = ("SLACK_", "OPENAI_", "REDIS_", "TUNEROOM_")
KEY = "sk-of-an-old-account"
SOON = datetime.now(UTC).date() + timedelta(days=9)
END = date(2099, 1, 14)


@dataclass
class Done:
    """What a command came to."""

    code: int
    out: str
    err: str
    told: dict[str, Any] = field(default_factory=dict[str, Any])


def started(account: OldAccount, *options: str) -> Done:
    """Start the command itself."""
    kept = {name: value for name, value in environment().items() if not name.startswith(OUTSIDE)}
    variables = kept | {"OPENAI_BASE_URL": account.url, "OPENAI_API_KEY": KEY, "PYTHONPATH": str(ROOT)}
    words = [sys.executable, "-P", "-m", "tuneroom", "rescue", *options]
    done = subprocess.run(words, capture_output=True, text=True, timeout=300, env=variables, check=False)
    assert KEY not in done.stdout + done.stderr
    return Done(done.returncode, done.stdout, done.stderr)


def rescue(account: OldAccount, *options: str, key: str = KEY) -> Done:
    """Do what the command does, without the second that a process takes to start."""
    settings = Settings.read({"OPENAI_BASE_URL": account.url, "OPENAI_API_KEY": key})
    values = dict(pairwise(options))
    out = io.StringIO()
    parsed = argparse.Namespace(
        out=values.get("--out", ""),
        since=values.get("--since", ""),
        provider=values.get("--provider", ""),
        json="--json" in options,
    )
    with contextlib.redirect_stdout(out):
        code = command.run(settings, parsed)
    told: dict[str, Any] = json.loads(out.getvalue()) if parsed.json else {}
    return Done(code, out.getvalue(), "", told)


@pytest.fixture
def account() -> Iterator[OldAccount]:
    """Three fine-tunes: one stops soon by itself, one with its base, one has failed and left no model."""
    with OldAccount(shutdowns={BASE: END.isoformat()}) as account:
        account.add(a_run(1, user_provided_suffix="support bot / v2"), rows("support"), "tickets (final).jsonl")
        own = account.add(a_run(2, validation_file="file-valid-2"), rows("second"))
        account.files["file-valid-2"] = ("held-out.jsonl", rows("held out"))
        account.shutdowns[own["fine_tuned_model"]] = SOON.isoformat()
        account.add(a_run(3, status="failed", fine_tuned_model=None, result_files=[], trained_tokens=None), rows("x"))
        yield account


def test_what_stops_first_stands_first_and_nothing_but_reading_is_done(account: OldAccount) -> None:
    done = started(account)
    assert done.code == 0, done.err
    lines = done.out.splitlines()
    assert lines[0] == "openai: 3 fine-tunes, soonest to stop first."
    assert lines[2].split()[:4] == [SOON.isoformat(), "(in", "9", "days)"]
    assert "gpt-4o-mini-2024-07-18  1,002 tokens  2026-01-03  ft:gpt-4o-mini-2024-07-18:acme:bot-2:00000002" in lines[2]
    assert lines[3].strip().startswith(f"{END} ({distance(END, datetime.now(UTC).date())})")
    assert "none (ftjob-00000003)" in lines[4]
    assert account.methods() == {"GET"}
    assert not account.downloads()


def test_every_page_is_listed_and_since_leaves_older_ones_out(account: OldAccount) -> None:
    for number in range(10, 260):
        account.add(a_run(number))
    assert len(rescue(account, "--json").told["fine_tunes"]) == 253
    told = rescue(account, "--json", "--since", "2026-09-01").told["fine_tunes"]
    assert {one["created"] >= "2026-09-01" for one in told} == {True}
    assert len(told) == 260 - 243


def test_everything_the_provider_still_has_is_saved_and_quoted_elsewhere(account: OldAccount, tmp_path: Path) -> None:
    done = started(account, "--out", str(tmp_path / "kept"))
    assert done.code == 0, done.out + done.err
    home = tmp_path / "kept" / "openai"
    bot = next(one for one in home.iterdir() if one.name.startswith("support-bot-v2-ftjob"))
    assert (bot / "results.csv").read_bytes() == RESULTS, "it came as base64"
    assert [json.loads(line)["data"]["step"] for line in (bot / "events.jsonl").read_text().splitlines()] == [1, 2]
    assert json.loads((bot / "checkpoints.json").read_text())[0]["metrics"]["train_loss"] == 1.4
    said = json.loads((bot / "run.json").read_text())
    assert said["said"]["method"]["type"] == "supervised"
    assert said["said"]["hyperparameters"]["learning_rate_multiplier"] == 1.8
    kept = {one.read_bytes() for one in (home / "files").iterdir()}
    assert kept == {rows("support"), rows("second"), rows("held out"), rows("x")}

    assert "Training the same rows again" in done.out
    assert f"openai/files/{next(one.name for one in (home / 'files').glob('*tickets*'))}: 12 rows, chat" in done.out
    quoted = [line.split()[0] for line in done.out.splitlines() if line.startswith("    ")]
    assert quoted.count(BASE) in {0, 3}, "while it takes jobs, it is quoted for each file of training rows"
    assert "toy-gpt" not in quoted, "a toy takes the place of no real model"
    assert "Saved 14 files" in done.out
    assert account.methods() == {"GET"}


def test_a_second_run_saves_only_what_is_missing_or_damaged(account: OldAccount, tmp_path: Path) -> None:
    out = tmp_path / "kept"
    first = rescue(account, "--out", str(out), "--json").told
    assert (first["saved"]["files"], first["saved"]["had"]) == (14, 0)
    file = next((out / "openai" / "files").glob("*rows-00000001*"))
    file.write_bytes(file.read_bytes().replace(b"ticket", b"TICKET", 1))
    next(out.glob("openai/bot-2-*/events.jsonl")).unlink()
    account.asked.clear()

    again = rescue(account, "--out", str(out), "--json").told
    assert (again["saved"]["files"], again["saved"]["had"]) == (2, 12)
    assert account.downloads() == {"file-rows-00000001": 1}
    assert file.read_bytes() == rows("support")
    assert json.loads((out / "rescue.json").read_text()) == again


def test_what_is_gone_is_said_and_the_rest_is_saved(account: OldAccount, tmp_path: Path) -> None:
    del account.files["file-rows-00000001"]
    done = rescue(account, "--out", str(tmp_path), "--json")
    assert done.code == 1
    (missing,) = done.told["not_saved"]
    assert (missing["run"], missing["what"], missing["is_gone"]) == ("ftjob-00000001", "training file", True)
    assert done.told["saved"]["files"] == 13
    text = rescue(account, "--out", str(tmp_path))
    assert "ftjob-00000001: training file: the provider has it no longer" in text.out
    assert "Run the same command again" not in text.out


def test_a_file_that_may_not_be_downloaded_says_why_in_the_providers_words(account: OldAccount, tmp_path: Path) -> None:
    said = "To help mitigate abuse, downloading of fine-tune training files is disabled for free accounts."
    account.faults["/v1/files/file-rows-00000002/content"] = [(400, "", said)] * 9
    done = rescue(account, "--out", str(tmp_path), "--json")
    (missing,) = done.told["not_saved"]
    assert done.code == 1
    assert said in missing["why"]
    assert not missing["is_gone"]


def test_what_fails_for_a_moment_is_tried_again(account: OldAccount, tmp_path: Path) -> None:
    account.faults["/v1/files/file-rows-00000001/content"] = [(500, "", "oops")]
    account.faults["/v1/fine_tuning/jobs"] = [(429, "rate_limit_exceeded", "slow down")]
    done = rescue(account, "--out", str(tmp_path), "--json")
    assert (done.code, done.told["not_saved"]) == (0, [])


def test_fewer_bytes_than_were_promised_are_not_kept_as_the_file(account: OldAccount, tmp_path: Path) -> None:
    account.short.add("file-rows-00000001")
    done = rescue(account, "--out", str(tmp_path), "--json")
    assert [one["code"] for one in done.told["not_saved"]] == ["cut-off"]
    assert not list(tmp_path.glob("openai/files/*00000001*"))


def test_rows_of_a_refused_run_never_stand_on_the_error_stream(account: OldAccount, tmp_path: Path) -> None:
    account.files["file-rows-00000001"] = ("rows.jsonl", b'{"messages": [{"role": "user", "content": "SECRET-ROW"}]}\n')
    done = started(account, "--out", str(tmp_path))
    assert "SECRET-ROW" not in done.out + done.err


def test_a_key_that_is_refused_is_one_plain_sentence(account: OldAccount) -> None:
    account.faults["/v1/fine_tuning/jobs"] = [(401, "invalid_api_key", "Incorrect API key provided.")]
    done = rescue(account)
    assert done.code == 1
    assert done.out.startswith("openai: The provider refused the API key. (invalid_api_key)")


def test_a_provider_that_goes_away_is_left_and_the_next_run_goes_on(account: OldAccount, tmp_path: Path) -> None:
    class Closing(OldAccount):
        def answer(self, path: str, query: dict[str, list[str]]) -> tuple[int, Any]:
            if path.endswith("/events"):
                self.stop()
            return super().answer(path, query)

    with Closing(account.runs, account.files, account.shutdowns) as closing:
        done = rescue(closing, "--out", str(tmp_path), "--json")
    assert done.code == 1
    assert [one["code"] for one in done.told["problems"]] == ["unreachable"]
    again = rescue(account, "--out", str(tmp_path), "--json")
    assert (again.code, again.told["saved"]["files"] + again.told["saved"]["had"]) == (0, 14)
    assert again.told["saved"]["had"] >= 1


def test_models_that_may_not_be_listed_leave_the_price_tables_days(account: OldAccount) -> None:
    account.faults["/v1/models"] = [(403, "", "Missing scopes: api.model.read")] * 3
    told = rescue(account, "--json").told["fine_tunes"]
    assert [one["stops"] for one in told] == ["2027-01-14", "2027-01-14", None]


@pytest.mark.parametrize(
    ("options", "key", "code", "words"),
    [
        (["--since", "yesterday"], KEY, "since-invalid", "is no date"),
        (["--provider", "nowhere"], KEY, "provider-unknown", "no provider called nowhere"),
        ([], "", "no-key", "There is no key for openai. Set OPENAI_API_KEY"),
        (["--out", str(ROOT / "README.md")], KEY, "folder-not-written", "cannot be written"),
    ],
)
def test_wrong_use_says_what_to_do(account: OldAccount, options: list[str], key: str, code: str, words: str) -> None:
    with pytest.raises(UserError) as refused:
        rescue(account, *options, key=key)
    assert refused.value.code == code
    assert words in f"{refused.value.message} {refused.value.hint}"
    assert not account.asked


def test_wrong_use_ends_with_64(account: OldAccount) -> None:
    done = started(account, "--since", "yesterday")
    assert (done.code, done.out) == (64, "")
    assert "tuneroom: 'yesterday' is no date. Write the year" in done.err


def test_a_provider_without_an_archive_gives_what_the_port_tells(account: OldAccount, tmp_path: Path) -> None:
    """As Together does: run, figures, history and rows, by the port alone."""
    adapter = OpenAIProtocol(Endpoint(name="openai", api_key=KEY, base_url=account.url))
    tally, shelf = Tally(), Shelf(tmp_path)
    with asyncio.Runner() as runner:
        tunes = fine_tunes(adapter, Catalogue.load(), runner.run, None)
        for tune in tunes:
            Saving(PortArchive(adapter, runner.run), shelf, tally).save(tune)
    assert tally.not_saved == []
    home = next(tmp_path.glob("openai/bot-2-*"))
    assert (home / "results.csv").read_bytes() == RESULTS
    assert [json.loads(line)["step"] for line in (home / "events.jsonl").read_text().splitlines()] == [1, 2]
    assert {one.read_bytes() for one in tmp_path.glob("openai/files/*")} >= {rows("support"), rows("held out")}


# the folder


@given(st.text(st.characters(exclude_categories=()), max_size=200))
def test_any_text_becomes_a_name_that_every_file_system_takes(text: str) -> None:
    name = safe(text)
    assert 0 < len(name) <= NAME_MAX
    assert name.isascii()
    assert not set(name) & set('/\\:*?"<>| \0')
    assert name[0] not in ".-"
    assert not name.endswith(".")
    assert safe(name) == name


def test_names_that_look_alike_stay_apart() -> None:
    names = ["a/b", "a:b", "a b", "a-b", "파일", "ファイル", "con", "..", "", "nul.txt"]
    assert len({safe(name).casefold() for name in names}) == len(names)


def test_a_line_that_was_cut_off_is_as_if_it_were_not_there(tmp_path: Path) -> None:
    shelf = Shelf(tmp_path)
    shelf.keep("one", [b"1"])
    with (tmp_path / "saved.jsonl").open("a") as ledger:
        ledger.write('{"path": "two", "siz')
    again = Shelf(tmp_path)
    again.keep("three", [b"3"])
    last = Shelf(tmp_path)
    assert last.find("one")
    assert last.find("three")
    assert last.find("two") is None


def test_a_file_that_breaks_off_leaves_no_name_behind(tmp_path: Path) -> None:
    def blocks() -> Iterator[bytes]:
        yield b"first"
        raise UserError("x", "x", "x")

    shelf = Shelf(tmp_path)
    with pytest.raises(UserError):
        shelf.keep("rows.jsonl", blocks())
    assert [one.name for one in tmp_path.iterdir()] == []
