"""Raw Slack payloads end here: typed requests go on, or a UserError that says what to do."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, Final

from bot.payloads import tables, text
from finetune.errors import UserError
from jobstore.records import Ref
from jobstore.states import Kind

ANY: Final = re.compile(".*")
DATA_ENDINGS: Final = (".jsonl", ".ndjson", ".json", ".csv", ".tsv", ".xlsx", ".parquet", ".txt", ".gz")
KINDS_BY_LETTER: Final = {"d": Kind.DATASET, "j": Kind.JOB, "m": Kind.JOB}
SMART_QUOTES: Final = str.maketrans({"“": '"', "”": '"', "‘": "'", "’": "'", "＝": "=", "\u3000": " "})  # noqa: RUF001


@dataclass(frozen=True, slots=True, kw_only=True)
class DroppedFile:
    """A file that somebody put into a channel. `thread_ts`: the message whose thread gets the reply."""

    team: str
    channel: str
    person: str
    message_ts: str
    file_id: str
    filename: str
    size_bytes: int

    @property
    def looks_like_data(self) -> bool:
        """Whether the name is one that training data has; other files are left alone until asked about."""
        return self.filename.lower().endswith(DATA_ENDINGS)


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """A slash command, cut into its verb, the handle it names and the rest."""

    team: str
    channel: str
    person: str
    trigger: str
    verb: str
    rest: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Press:
    """A button somebody pressed on a message of ours, and the record it stands for.

    `detail`: what the button says besides, such as the digest of what it confirms.
    """

    team: str
    channel: str
    person: str
    trigger: str
    action: str
    ref: Ref
    detail: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """A button somebody pressed that stands for something other than a record: `value` says for what."""

    team: str
    channel: str
    person: str
    trigger: str
    value: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Submission:
    """A modal somebody sent. `values`: what each field holds, by block id; `memo`: what we wrote into it."""

    team: str
    person: str
    view_id: str
    memo: str
    values: dict[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """A field that somebody changes, or a button they press, in an open modal; the rest as in `Submission`.

    `at` is when, as Slack tells it: of two changes the later one counts.
    """

    team: str
    person: str
    view_id: str
    hash: str
    action: str
    memo: str
    values: dict[str, str]
    at: str = ""


def dropped_files(event: dict[str, Any], team: str) -> list[DroppedFile]:
    """Return the files of a message; in a shared channel Slack tells only their ids."""
    return [
        DroppedFile(
            team=team,
            channel=event["channel"],
            person=event.get("user", ""),
            message_ts=event.get("thread_ts") or event["ts"],
            file_id=file["id"],
            filename=text(file, "name") or text(file, "title") or file["id"],
            size_bytes=int(file.get("size") or 0),
        )
        for file in tables(event, "files")
    ]


def command(body: dict[str, Any]) -> Command:
    """Return a slash command; smart quotes, the wide equals sign and the wide space are taken as typed by accident."""
    typed = unescaped(text(body, "text")).translate(SMART_QUOTES).strip()
    verb, _, rest = typed.partition(" ")
    return Command(
        team=body["team_id"],
        channel=body["channel_id"],
        person=body["user_id"],
        trigger=body.get("trigger_id", ""),
        verb=verb.lower(),
        rest=rest.strip(),
    )


def handle(typed: str, team: str, *, kinds: tuple[str, ...] = ("d", "j", "m")) -> tuple[Ref, str]:
    """Return the record that `typed` begins with ("j42 …"), and what follows; m42 is the model of j42."""
    match = re.match(r"([djmDJM])(\d{1,9})(?:\s+|$)", typed)
    if match is None or match[1].lower() not in kinds:
        wanted = {"d": "a dataset such as d12", "j": "a job such as j42", "m": "a model such as m42"}
        raise UserError(
            "handle-missing",
            "I don't know which one you mean.",
            f"Name {' or '.join(wanted[kind] for kind in kinds)}; /tune list shows them.",
        )
    letter = match[1].lower()
    kind = KINDS_BY_LETTER[letter]
    return Ref(team, kind, ("j" if letter == "m" else letter) + match[2]), typed[match.end() :].strip()


def value_of(typed: str, key: str) -> str:
    """Return what a command's one key is given ("task=chat"), "" where it is not there."""
    match = re.search(rf"(?:^|\s){key}\s*=\s*(.*)$", typed, re.IGNORECASE)
    return match[1].strip() if match else ""


def press(body: dict[str, Any]) -> Press:
    """Return a pressed button."""
    action = body["actions"][0]
    channel = text(body, "channel", "id") or text(body, "container", "channel_id")
    option = text(action, "selected_option", "value")
    said, _, member = (text(action, "value") or option).rpartition(" ")
    if not re.fullmatch(r"(dataset:d|job:j|prompt:p)\d{1,9}", member):
        raise UserError("button-unknown", "I don't know this button any more.", "Try /tune list.")
    team = body["team"]["id"]
    return Press(
        team=team,
        channel=channel,
        person=body["user"]["id"],
        trigger=body.get("trigger_id", ""),
        action=(option and said) or action["action_id"],  # an option of a menu says which act it stands for
        detail="" if option else said,
        ref=Ref.of_member(team, member),
    )


def change(body: dict[str, Any]) -> Change:
    """Return what was changed in a modal, with all its fields as they stand."""
    view = body["view"]
    return Change(
        team=body["team"]["id"],
        person=body["user"]["id"],
        view_id=view["id"],
        hash=view.get("hash", ""),
        action=body["actions"][0]["action_id"],
        memo=view.get("private_metadata", ""),
        values=_values(view),
        at=text(body["actions"][0], "action_ts"),
    )


def choice(body: dict[str, Any]) -> Choice:
    """Return a pressed button whose value is no record."""
    return Choice(
        team=body["team"]["id"],
        channel=text(body, "channel", "id") or text(body, "container", "channel_id"),
        person=body["user"]["id"],
        trigger=body.get("trigger_id", ""),
        value=text(body["actions"][0], "value"),
    )


def submission(body: dict[str, Any]) -> Submission:
    """Return a submitted modal, its fields as text."""
    view = body["view"]
    return Submission(
        team=body["team"]["id"],
        person=body["user"]["id"],
        view_id=view["id"],
        memo=view.get("private_metadata", ""),
        values=_values(view),
    )


def _values(view: dict[str, Any]) -> dict[str, str]:
    return {
        block: _text(element)
        for block, elements in view["state"]["values"].items()
        for element in list(elements.values())[:1]
    }


def _text(element: dict[str, Any]) -> str:
    return text(element, "selected_option", "value") or text(element, "value")


def without_mention(typed: str) -> str:
    """Return what a mention of the bot says after the mention, unescaped: `<@U1> hi &amp; bye` → `hi & bye`."""
    said = re.sub(r"^\s*<@[UW][A-Z0-9]+(?:\|[^>]*)?>", "", typed).strip()
    return unescaped(said)


def unescaped(typed: str) -> str:
    """Return text as it was typed: Slack escapes three characters on the way in."""
    return typed.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
