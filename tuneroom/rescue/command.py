"""Lists an account's fine-tunes, saves what the provider still has of them, and quotes their rows elsewhere.

It only reads at the provider. Exit codes: 0, 1 where something could not be listed or saved, 64 for wrong usage.
"""

from __future__ import annotations

import asyncio
import json
import sys
from dataclasses import asdict, dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from finetune.errors import UserError
from tuneroom import wiring
from tuneroom.rescue import page
from tuneroom.rescue.listing import fine_tunes
from tuneroom.rescue.quotes import quote
from tuneroom.rescue.saving import Saving, Tally, UnreachableError, patiently
from tuneroom.rescue.shelf import Shelf
from workers.archive import archive_of
from workers.provider import ProviderError

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable

    from finetune.catalogue import Catalogue
    from tuneroom.rescue.listing import FineTune, Wait
    from tuneroom.rescue.quotes import RowsQuote
    from tuneroom.settings import Settings
    from workers.archive import Archive
    from workers.provider import Provider


AGAIN: Final = "Run the same command again: it saves only what is missing."


@dataclass(slots=True)
class Rescue:
    """What was found and done: the fine-tunes, what was saved, the quotes, and why some provider gave no list."""

    day: date
    tunes: list[FineTune] = field(default_factory=list["FineTune"])
    tally: Tally = field(default_factory=Tally)
    quotes: list[RowsQuote] = field(default_factory=list["RowsQuote"])
    problems: list[dict[str, str]] = field(default_factory=list[dict[str, str]])

    def as_json(self, folder: str) -> dict[str, Any]:
        """Return the object that --json prints and that rescue.json holds."""
        tally = self.tally
        saved = {"folder": folder, "files": tally.saved, "bytes": tally.bytes, "had": tally.had}
        return {
            "as_of": self.day.isoformat(),
            "fine_tunes": [tune.as_json() for tune in self.tunes],
            "saved": saved if folder else None,
            "not_saved": [asdict(one) for one in tally.not_saved],
            "quotes": [one.as_json() for one in self.quotes],
            "problems": self.problems,
        }


def run(settings: Settings, parsed: argparse.Namespace) -> int:
    """Do it, print it, and return the exit code."""
    try:
        return _run(settings, parsed)
    except KeyboardInterrupt:
        sys.stderr.write(f"tuneroom: stopped. What is saved stays. {AGAIN}\n")
        return 1


def _run(settings: Settings, parsed: argparse.Namespace) -> int:
    since = _since(parsed.since)
    providers = _providers(settings, parsed.provider)
    catalogue = wiring.catalogue_of(settings)
    shelf = Shelf(Path(parsed.out)) if parsed.out else None
    found = Rescue(datetime.now(UTC).date())
    say = _keep_quiet if parsed.json else _print
    with asyncio.Runner() as runner:
        for provider in providers:
            tunes = _listed(found, provider, catalogue, runner.run, since)
            _introduce(say, provider.name, tunes, found)
            if shelf is not None:
                _save(say, found, archive_of(provider, runner.run), shelf, tunes)
    if shelf is not None:
        _quote(found, shelf, catalogue)
    _conclude(say, found, shelf, parsed)
    return 1 if found.problems or found.tally.not_saved else 0


def _providers(settings: Settings, named: str) -> list[Provider]:
    accounts = {account.name: account for account in settings.accounts}
    if named and named not in accounts:
        known = ", ".join(accounts)
        hint = f"There is {known}; TUNEROOM_PROVIDER names them."
        raise UserError("provider-unknown", f"I have no provider called {named}.", hint)
    wanted = [accounts[named]] if named else list(accounts.values())
    if not any(account.api_key for account in wanted):
        hint = "Set OPENAI_API_KEY; for a provider other than OpenAI, OPENAI_BASE_URL and TUNEROOM_PROVIDER, too."
        raise UserError("no-key", f"There is no key for {', '.join(account.name for account in wanted)}.", hint)
    made = wiring.providers_of(settings)
    return [made[account.name] for account in wanted if account.api_key]


def _since(text: str) -> date | None:
    try:
        return date.fromisoformat(text) if text else None
    except ValueError as error:
        hint = "Write the year, the month and the day: --since 2026-05-01."
        raise UserError("since-invalid", f"{text!r} is no date.", hint) from error


def _listed(found: Rescue, provider: Provider, catalogue: Catalogue, wait: Wait, since: date | None) -> list[FineTune]:
    try:
        tunes = patiently(lambda: fine_tunes(provider, catalogue, wait, since))
    except ProviderError as error:
        told = {"provider": provider.name, "code": error.code, "message": error.message, "hint": _hint(error)}
        found.problems.append(told)
        return []
    found.tunes += tunes
    return tunes


def _hint(error: ProviderError) -> str:
    return error.hint if error.is_final else "Look at the network and the provider's address, then run it again."


def _introduce(say: Callable[[str], None], name: str, tunes: list[FineTune], found: Rescue) -> None:
    if found.problems and found.problems[-1]["provider"] == name:
        problem = found.problems[-1]
        say(f"{name}: {problem['message']} ({problem['code']}) {problem['hint']}")
        return
    counted = {0: "no fine-tunes", 1: "1 fine-tune"}.get(len(tunes), f"{len(tunes):,} fine-tunes")
    say(f"{name}: {counted}{', soonest to stop first' if len(tunes) > 1 else ''}.")
    for line in page.table(tunes, found.day) if tunes else ():
        say(line)


def _save(say: Callable[[str], None], found: Rescue, archive: Archive, shelf: Shelf, tunes: list[FineTune]) -> None:
    saving = Saving(archive, shelf, found.tally)
    for number, tune in enumerate(tunes, start=1):
        say(f"Saving {number:,} of {len(tunes):,}: {tune.title}")
        try:
            saving.save(tune)
        except UnreachableError:
            message = "The provider cannot be reached any more, so the rest was left."
            told = {"provider": tune.provider, "code": "unreachable", "message": message, "hint": AGAIN}
            found.problems.append(told)
            say(f"{tune.provider}: {message} {AGAIN}")
            return


def _quote(found: Rescue, shelf: Shelf, catalogue: Catalogue) -> None:
    for path, tunes in found.tally.training.items():
        newest_first = sorted(tunes, key=lambda tune: -tune.run.created_ms)
        found.quotes.append(quote(shelf.folder, path, newest_first, catalogue, found.day))


def _conclude(say: Callable[[str], None], found: Rescue, shelf: Shelf | None, parsed: argparse.Namespace) -> None:
    if shelf is None:
        if found.tunes:
            say("To save their files, figures and histories, and see what they cost elsewhere: --out FOLDER.")
    else:
        for line in [*page.quotes(found.quotes, found.day), *page.saved(found.tally, parsed.out)]:
            say(line)
        shelf.keep_json("rescue.json", found.as_json(parsed.out))
    if parsed.json:
        _print(json.dumps(found.as_json(parsed.out), indent=2, ensure_ascii=False))


def _keep_quiet(line: str) -> None:
    """With --json, one object is all there is."""


def _print(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()
