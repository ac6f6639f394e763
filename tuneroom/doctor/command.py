"""Runs every examination and prints what was found; 0 where nothing is wrong, 1 where something is."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Final

from finetune.errors import UserError
from tuneroom import logs, wiring
from tuneroom.doctor import machine, money, provider, record, slack, storage
from tuneroom.doctor.verdict import Level, Verdict, wrong

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from tuneroom.settings import Settings

WIDTH: Final = 32


def run(settings: Settings, *, as_json: bool) -> int:
    """Examine everything, print it, and return the exit code."""
    verdicts = [_hidden(verdict, settings.secrets) for verdict in examine(settings)]
    sys.stdout.write(_json(verdicts) if as_json else _text(verdicts))
    return 1 if any(verdict.level is Level.WRONG for verdict in verdicts) else 0


def examine(settings: Settings) -> list[Verdict]:
    """Return a verdict for each thing the product needs; what cannot even be looked at is one, too."""
    of_slack = slack.examine(settings)
    of_record = record.examine(settings)
    verdicts = [*of_slack.verdicts, *of_record.verdicts]
    try:
        catalogue = wiring.catalogue_of(settings)
    except UserError as error:
        verdicts.append(wrong("prices", error.message, error.hint or "Mend the file that TUNEROOM_PRICE_TABLE names."))
    else:
        verdicts += _guarded("provider", lambda: provider.examine(settings, catalogue))
        verdicts += _guarded("money", lambda: money.examine(settings, catalogue, of_record.redis))
    verdicts += _guarded("blob store", lambda: storage.examine(settings, of_record.redis))
    clocks = {"redis_ahead_s": of_record.ahead_s, "slack_ahead_s": of_slack.ahead_s}
    return verdicts + _guarded("this machine", lambda: machine.examine(**clocks))


def _guarded(subject: str, look: Callable[[], list[Verdict]]) -> list[Verdict]:
    """One thing that cannot be looked at must not hide the others."""
    try:
        return look()
    except Exception as error:  # noqa: BLE001 - whatever it was, it is what was found
        found = f"the doctor could not look: {type(error).__name__} at {_place(error)}."
        return [wrong(subject, found, "Please report it with this line.")]


def _place(error: Exception) -> str:
    told = logs.described(error)[0]["at"]
    return str(told[-1]).rpartition("/")[2] if told else "?"


def _hidden(verdict: Verdict, secrets: Iterable[str]) -> Verdict:
    return replace(verdict, found=logs.hidden(verdict.found, secrets), mend=logs.hidden(verdict.mend, secrets))


def _text(verdicts: list[Verdict]) -> str:
    lines = [f"{v.level.value:<8} {v.subject:<{WIDTH}} {v.found}{' → ' + v.mend if v.mend else ''}" for v in verdicts]
    return "\n".join([*lines, "", _summary(verdicts), ""])


def _summary(verdicts: list[Verdict]) -> str:
    count = {level: sum(verdict.level is level for verdict in verdicts) for level in Level}
    first = next((verdict.subject for verdict in verdicts if verdict.level is Level.WRONG), "")
    start = f" Begin with {first}." if first else ""
    return f"{count[Level.OK]} ok, {count[Level.WARNING]} to know, {count[Level.WRONG]} wrong.{start}"


def _json(verdicts: list[Verdict]) -> str:
    is_ok = all(verdict.level is not Level.WRONG for verdict in verdicts)
    said = {"ok": is_ok, "verdicts": [asdict(verdict) for verdict in verdicts]}
    return json.dumps(said, indent=2, ensure_ascii=False) + "\n"
