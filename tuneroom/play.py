"""`tuneroom sandbox --play`: the whole story, acted by a person against the real processes, with times."""

from __future__ import annotations

import json
import time
import urllib.request
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Final

import finetune
from finetune.errors import OperationalError
from sandbox.client import Workspace

if TYPE_CHECKING:
    from sandbox.client import Message, Person
    from tuneroom.sandbox_services import Running

CHANNEL: Final = "#tuning"
SAMPLE: Final = Path(finetune.__file__).parent / "samples" / "ticket-routing.jsonl"
TRAINING_S: Final = 120.0


class NotAsToldError(OperationalError):
    """A step of the story did not happen as it should."""


@dataclass(slots=True)
class _Transcript:
    out: IO[str]
    began: float = field(default_factory=time.monotonic)

    def say(self, who: str, what: str) -> None:
        seconds = time.monotonic() - self.began
        lines = what.strip().splitlines() or [""]
        self.out.write(f"{seconds:6.1f} s  {who:<9}{lines[0]}\n")
        self.out.writelines(f"{'':19}{line}\n" for line in lines[1:])
        self.out.flush()


def play(running: Running, *, out: IO[str]) -> int:
    """Act the story and return 0 if every step really happened, 1 otherwise."""
    said = _Transcript(out)
    with Workspace(running.page) as workspace:
        try:
            _Story(workspace, running, said).act()
        except Exception as error:  # noqa: BLE001 - whatever stopped the story is its end
            said.say("FAILED", f"{type(error).__name__}: {error}")
            return 1
    said.say("done", "Every step happened.")
    return 0


class _Story:
    def __init__(self, workspace: Workspace, running: Running, said: _Transcript) -> None:
        self._workspace = workspace
        self._running = running
        self._said = said
        self._mina: Person = workspace.as_user("mina")
        rows = SAMPLE.read_text(encoding="utf-8").splitlines(keepends=True)
        self._training, self._held_out = rows[:-1], json.loads(rows[-1])["messages"]

    def act(self) -> None:
        """Drop, train, watch, wait for the notice, try."""
        report = self._drop()
        self._launch(report)
        card = self._watch()
        self._try(card)
        self._audit()

    def _drop(self) -> Message:
        self._said.say("Mina", f"drops {SAMPLE.name} ({len(self._training)} rows) into {CHANNEL}")
        data = "".join(self._training).encode()
        dropped = self._mina.drop(CHANNEL, SAMPLE.name, data)
        report = self._workspace.wait_for_message(CHANNEL, "Ready to train", thread_ts=dropped.ts)
        self._said.say("Tuneroom", report.text)
        return report

    def _launch(self, report: Message) -> None:
        self._mina.click(report, "train")
        modal = self._mina.view("Train")
        self._said.say("Mina", f"presses Train and submits: {_filled(modal.values)}")
        answer = self._mina.submit(modal, {"suffix": "ticket-router"})
        if not answer.closed:
            raise NotAsToldError(f"the launch was not taken: {answer}")

    def _watch(self) -> Message:
        card = self._workspace.wait_for_message(CHANNEL, "ticket-router")
        shown = ""
        deadline = time.monotonic() + TRAINING_S
        while True:
            card = self._workspace.wait_for(
                lambda workspace, before=shown, card=card: _changed(workspace.message(card), before),
                timeout_s=max(1.0, deadline - time.monotonic()),
            )
            shown = card.text
            self._said.say("Tuneroom", _stage(shown))
            if "try_model" in json.dumps(card.blocks):
                break
            if "cancel_job" not in json.dumps(card.blocks) and any(word in shown for word in ("failed", "cancelled")):
                raise NotAsToldError(f"the job did not get ready: {shown}")
        results = self._workspace.wait_for_message(CHANNEL, "Results.", thread_ts=card.ts)
        self._said.say("Tuneroom", results.text)
        notice = self._workspace.wait_for_message(
            CHANNEL, "answers", thread_ts=card.ts, where=lambda message: message.mentions(self._mina.id)
        )
        pictures = self._workspace.wait_for(
            lambda workspace: [file for m in workspace.messages(CHANNEL, card.ts) for file in m.files]
        )
        content = self._workspace.file_content(str(pictures[0]["id"]))
        if not content.startswith(b"\x89PNG"):
            raise NotAsToldError("the picture of the loss is no PNG")
        self._said.say("Tuneroom", f"[picture: {pictures[0]['title']}, {len(content):,} bytes]")
        self._said.say("Tuneroom", notice.text)
        measured = self._workspace.wait_for_message(CHANNEL, "rows it was not trained on", thread_ts=card.ts)
        self._said.say("Tuneroom", measured.text)
        return card

    def _try(self, card: Message) -> None:
        question = next(message["content"] for message in self._held_out if message["role"] == "user")
        expected = self._held_out[-1]["content"]
        now = self._workspace.message(card)
        assert now is not None
        self._mina.click(now, "try_model")
        modal = self._mina.view("Prompt")
        self._said.say("Mina", f"asks (a row it has never seen): {question}")
        answer = self._mina.submit(modal, {"prompt": question})
        if not answer.closed:
            raise NotAsToldError(f"the prompt was not taken: {answer}")
        said = self._workspace.wait_for_message(CHANNEL, "tokens", thread_ts=card.ts, where=_is_answer)
        self._said.say("Tuneroom", said.text)
        self._said.say("", f"(the label in the sample is {expected!r}; a toy model may be wrong)")

    def _audit(self) -> None:
        runs = self._ask("/fine_tuning/jobs")["data"]
        if len(runs) != 1 or runs[0]["status"] != "succeeded" or not runs[0]["trained_tokens"]:
            raise NotAsToldError(f"the trainer has {len(runs)} runs, and one was confirmed: {runs}")
        self._said.say("trainer", f"paid runs: 1 ({runs[0]['id']}, {runs[0]['trained_tokens']:,} tokens trained)")

    def _ask(self, path: str) -> dict[str, Any]:
        request = urllib.request.Request(  # noqa: S310 - our own server
            self._running.trainer_url + path, headers={"Authorization": f"Bearer {self._running.trainer_key}"}
        )
        with urllib.request.urlopen(request, timeout=10) as answer:  # noqa: S310
            return json.loads(answer.read())


def _filled(values: dict[str, Any]) -> str:
    return ", ".join(f"{label}: {value}" for label, value in values.items())


def _changed(card: Message | None, before: str) -> Message | None:
    return card if card is not None and card.text != before else None


def _stage(text: str) -> str:
    """The card without what every edit repeats: its first line and its buttons."""
    return " | ".join(line for line in text.splitlines()[1:3])


def _is_answer(message: Message) -> bool:
    return any("try_model" in json.dumps(block) for block in message.blocks) and "·" in message.text
