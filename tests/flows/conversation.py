"""What people do in these tests, in their words, and what must be true at the end of each."""

from __future__ import annotations

import json
import re
from collections import Counter
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Final

from jobstore.states import Kind
from sandbox.client import RefusedError
from sandbox.people import TEAM_ID
from tests.support.stack import fresh_name
from tests.support.waiting import wait_for

if TYPE_CHECKING:
    from collections.abc import Callable

    from jobstore.jobs import Job
    from jobstore.records import Dataset, Prompt, Record
    from sandbox.client import Message, Person, Response
    from sandbox.shown import View
    from tests.support.stack import Stack

PATIENCE_S: Final = 90.0
EDITS_IN_THE_WAY: Final = 5
NEWEST: Final = 12
DATASET_STORY: Final = ["DatasetReceived", "DatasetFetched", "DatasetChecked"]
JOB_STORY: Final = [
    "JobConfirmed", "RowsPrepared", "RowsUploaded", "RunIntended", "RunCreated", "RunStarted", "RunSucceeded",
    "RunAnalysed", "ModelReady",
]  # fmt: skip
FOLDED: Final = frozenset({"seed", "batch", "lr"})
LABELS: Final = ("billing", "shipping", "account")


def rows(name: str, count: int = 14) -> bytes:
    """Return a small dataset in chat form whose bytes no other test has."""
    lines = [
        {"messages": [{"role": "user", "content": f"{name} ticket {number}"},
                      {"role": "assistant", "content": LABELS[number % len(LABELS)]}]}
        for number in range(count)
    ]  # fmt: skip
    return "".join(json.dumps(line) + "\n" for line in lines).encode()


@dataclass(frozen=True, slots=True)
class Conversation:
    """One person's conversation with the bot in one channel; `name` is the file's and the job's."""

    stack: Stack
    person: Person
    name: str
    channel: str = "#tuning"

    @classmethod
    def of_test(cls, stack: Stack, test: str) -> Conversation:
        """Begin one named after a test."""
        stem = re.sub(r"[^a-z0-9]+", "-", test.removeprefix("test_").lower())[:28].strip("-")
        return cls(stack, stack.workspace.as_user("mina"), fresh_name(stem))

    @property
    def filename(self) -> str:
        """The name of the dropped file."""
        return f"{self.name}.jsonl"

    def drop(self, data: bytes | None = None, *, filename: str = "") -> Message:
        """Drop a dataset."""
        return self.person.drop(self.channel, filename or self.filename, rows(self.name) if data is None else data)

    def many_rows(self) -> bytes:
        """Return a dataset that takes seconds to train on."""
        return rows(self.name, 60)

    def report(self, dropped: Message, text: str = "Ready to train", timeout_s: float = PATIENCE_S) -> Message:
        """Wait for the one reply to a dropped file to show `text`."""
        return self.stack.workspace.wait_for_message(
            self.channel, text, thread_ts=dropped.ts, where=lambda m: m.ts != dropped.ts, timeout_s=timeout_s
        )

    def launch(self, report: Message, **values: str) -> Response:
        """Press Train and send the form: one epoch, unless told otherwise."""
        self.stack.workspace.wait_for_app(PATIENCE_S)
        self.person.click(report, "train")
        form = self.unfolded() if FOLDED.intersection(values) else self.person.view("Train")
        return self.person.submit(form, {"suffix": self.name, "epochs": "1"} | values)

    def unfolded(self) -> View:
        """Press Advanced in the launch form; return the form with every field."""
        self.person.click(self.person.view("Train"), "Advanced…")
        return self.person.view("Learning-rate multiplier")

    def train(self) -> Message:
        """Drop, read the report, launch; return the job's card as it first stands."""
        assert self.launch(self.report(self.drop())).closed
        return self.card()

    def card(self, text: str = "", timeout_s: float = PATIENCE_S) -> Message:
        """Wait for the job's card to show `text`."""
        return self.stack.workspace.wait_for_message(
            self.channel, text, where=lambda m: self.name in m.text and m.thread_ts in {None, m.ts},
            timeout_s=timeout_s,
        )  # fmt: skip

    def notice(self, card: Message, text: str = "answers: it is model", timeout_s: float = PATIENCE_S) -> Message:
        """Wait for a reply in the job's thread."""
        return self.stack.workspace.wait_for_message(
            self.channel, text, thread_ts=card.ts, where=lambda m: m.ts != card.ts, timeout_s=timeout_s
        )

    def finish(self, timeout_s: float = 2 * PATIENCE_S) -> Message:
        """Wait until the model is ready and everything about it was said; return the card."""
        self.card()
        wait_for(lambda: self.job().at.is_kept, timeout_s=timeout_s)
        card = self.card("Ready.")
        self.notice(card)
        self.stack.workspace.wait_for(
            lambda _: len(self._pictures(card.ts)) == self._pictures_due() or None, PATIENCE_S
        )
        if self._is_evaluated():
            self.notice(card, "rows it was not trained on")
        return card

    def press(self, message: Message, what: str) -> None:
        """Press a button of a message as it stands now; one that is being edited is pressed again."""
        for _ in range(EDITS_IN_THE_WAY):
            now = self.stack.workspace.message(message) or message
            try:
                return self.person.click(now, what)
            except RefusedError as error:  # an edit gave the button another block id
                if "no_such_action" not in str(error):
                    raise
        raise AssertionError(f"{what} could not be pressed")

    def ask(self, card: Message, prompt: str) -> None:
        """Press Try it and send a prompt."""
        self.stack.workspace.wait_for_app(PATIENCE_S)
        self.press(card, "Try it")
        assert self.person.submit(self.person.view("Prompt"), {"prompt": prompt}).closed

    def answer(self, card: Message) -> Message:
        """Wait for a model's answer in the job's thread; returns the latest."""
        return self.stack.workspace.wait_for_message(
            self.channel, thread_ts=card.ts, where=lambda m: "Try again" in m.buttons, timeout_s=PATIENCE_S
        )

    def replies(self, root: Message) -> list[Message]:
        """Return what stands in a thread below its root."""
        return [m for m in self.stack.workspace.messages(self.channel, root.ts) if m.ts != root.ts]

    def dataset(self) -> Record[Dataset]:
        """Return the one dataset of this conversation's file."""
        found = self._own(Kind.DATASET, lambda dataset: dataset.data.filename == self.filename)
        assert len(found) == 1, f"one dataset was dropped, and there are {[d.ref.id for d in found]}"
        return found[0]

    def job(self) -> Record[Job]:
        """Return the one job of this conversation."""
        found = self._own(Kind.JOB, lambda job: job.data.title == self.name)
        assert len(found) == 1, f"one job was confirmed, and there are {[j.ref.id for j in found]}"
        return found[0]

    def events(self, record: Record[Any]) -> list[str]:
        """Return the names of a record's events, oldest first."""
        return [event["type"] for event in self.stack.events(record)]

    def prompts(self) -> list[Record[Prompt]]:
        """Return what this conversation's model was asked, newest first."""
        job = self.job().ref.id
        return [prompt for prompt in self.stack.listed(Kind.PROMPT, self.channel) if prompt.data.job == job]

    def longest_wait_s(self, record: Record[Any]) -> float:
        """Return the longest time between two events of a record."""
        times = [event["at_ms"] for event in self.stack.events(record)]
        return max(later - earlier for earlier, later in pairwise(times)) / 1000

    def insist_on_one_of_everything(self, *, answers: int = 0) -> None:
        """One dataset, one job, one run, every event once, every message once, and so many answers."""
        job = self.job()
        assert self.events(self.dataset()) == DATASET_STORY
        # a run may be over before anybody saw it running, and only a classifier is asked about held-out rows
        told = [event for event in self.events(job) if event != "RunStarted"]
        expected = [event for event in JOB_STORY if event != "RunStarted"]
        assert told == ([*expected[:-1], "ModelAnswered", "ModelReady"] if self._is_evaluated() else expected)
        runs = self.stack.runs(self.name)
        assert [run["status"] for run in runs] == ["succeeded"]
        card = self.card("Ready.")
        said = self.replies(card)
        assert len(said) == 2 + self._is_evaluated() + self._pictures_due() + answers, [m.text for m in said]
        assert sum("Results." in m.text for m in said) == 1
        assert len(self._pictures(card.ts)) == self._pictures_due()
        assert sum(m.mentions(self.person.id) for m in said) == 1
        roots = [m for m in self.stack.workspace.messages(self.channel) if m.is_bot and self.name in m.text]
        assert len(roots) == 1

    def _is_evaluated(self) -> bool:
        return self.job().data.evaluation is not None

    def _pictures_due(self) -> int:
        evaluation = self.job().data.evaluation
        return 2 if evaluation and evaluation.chart else 1

    def _pictures(self, thread_ts: str) -> list[Message]:
        thread = self.stack.workspace.messages(self.channel, thread_ts)
        return [m for m in thread if any(file.get("filetype") == "png" for file in m.files)]

    def _own(self, kind: Kind, is_own: Callable[[Record[Any]], bool]) -> list[Record[Any]]:
        """Look among the newest, where a conversation's own mostly are; it is asked again and again."""
        newest = [record for record in self.stack.listed(kind, self.channel, limit=NEWEST) if is_own(record)]
        return newest or [record for record in self.stack.listed(kind, self.channel) if is_own(record)]


def training(talk: Conversation, *, epochs: int = 8) -> Message:
    """Start a run of a few seconds and wait until it is well under way; return its card."""
    assert talk.launch(talk.report(talk.drop(talk.many_rows())), epochs=str(epochs)).closed
    card = talk.card()
    wait_for(lambda: talk.job().data.progress.step > 3, timeout_s=PATIENCE_S)
    return card


@dataclass(frozen=True, slots=True)
class Twice:
    """What must never be: deliveries that stand there twice, and deliveries that Slack refused for good."""

    posted: tuple[str, ...]
    dead: tuple[tuple[str, str], ...]

    @classmethod
    def of(cls, stack: Stack) -> Twice:
        """Look for them."""
        said = stack.workspace.everything()
        shown = Counter(m.metadata["event_payload"]["id"] for m in said if m.is_bot and m.metadata)
        dead = tuple((letter["delivery"], letter["reason"]) for letter in stack.outbox.dead_letters(TEAM_ID))
        return cls(tuple(one for one, times in shown.items() if times > 1), dead)
