"""What is said to one person, or once to a channel: help, lists, refusals, a greeting."""

from __future__ import annotations

import difflib
import re
from typing import TYPE_CHECKING, Any, Final

from bot.mrkdwn import EMPTY, Mrkdwn, code, join, lines, mention, mrkdwn, prose
from bot.views import words
from bot.views.blocks import actions, context, section, sections
from bot.views.details import details_blocks
from bot.views.jobs import cancel_button, job_title, price_words, stop_button, try_button
from bot.views.message import Message, message
from bot.views.stages import stage_sentence, stage_short
from bot.views.templates import sample_button

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from finetune.errors import UserError
    from jobstore.jobs import Job
    from jobstore.records import Dataset, Record

LISTED: Final = 20
NAME_IN_LIST: Final = 40
LINE_MAX: Final = 240
TEXT_MAX: Final = 1_200
COMMANDS: Final = {
    "train": ("/tune train d12", "the form that trains a model on it; or at once: epochs=3 lr=x0.5 valid=10%"),
    "fix": ("/tune fix d12", "a new version with the safe fixes"),
    "convert": ("/tune convert d12 to=chat", "a new version as chat; name columns where needed: prompt=Q completion=A"),
    "list": ("/tune list", "the jobs and datasets of this channel; /tune list mine: yours"),
    "models": ("/tune list models", "the models there are, and when they stop"),
    "templates": ("/tune list templates", "rows to begin from, for eight kinds of work"),
    "show": ("/tune show j42", "everything about a job; or a dataset (d12), or where a model (m42) comes from"),
    "results": ("/tune results j42", "its figures, what they mean, and how its model did on held-out rows"),
    "split": ("/tune split d12 valid=10 test=10", "divide a dataset into rows to train, to validate and to test with"),
    "quote": ("/tune quote m42", "what its rows cost on other models; d12: what a dataset costs on each"),
    "pause": ("/tune pause j42", "let a run rest"),
    "resume": ("/tune resume j42", "let a paused run go on"),
    "cancel": ("/tune cancel j42", "stop a job"),
    "reproduce": ("/tune reproduce j42", "the form with everything as it was, to train the same again"),
    "delete": ("/tune delete m42", "delete a trained model for good; it asks first"),
    "deploy": ("/tune deploy m42 hours=2", "host a model that answers only while hosted; the price is said first"),
    "compare": (
        "/tune compare m42",
        "ask its base the same test rows, and say which is better; with=m3: another model",
    ),
    "try": ("/tune try m42 your prompt", "ask a trained model; without a prompt, a form opens"),
    "help": ("/tune help", "this"),
}
"""The verbs there are: an example of each, and what it does."""

_HANDLE: Final = re.compile(r"[djm]\d{1,9}", re.IGNORECASE)
_ELSEWHERE: Final = {
    "check": mrkdwn("To check a dataset, drop it here: I answer in its thread."),
}


def help_message() -> Message:
    """What can be typed and what can be dropped."""
    commands = [mrkdwn("{example}: {what}", example=code(example), what=what) for example, what in COMMANDS.values()]
    text = mrkdwn("Drop a dataset in this channel, or type one of these.")
    return message(
        text,
        section(
            mrkdwn(
                "*Drop a dataset* in a channel I am in: JSONL, CSV, XLSX and others, one example a row. I say what is"
                " wrong in which row and what training costs, and train when you press Train…."
            )
        ),
        *sections(commands),
        context(
            mrkdwn("Datasets are called d12, jobs j42, and the model of j42 is m42."),
            mrkdwn("In a job's thread, mention me and write a prompt to ask its model."),
        ),
    )


def near_miss(word: str) -> Message:
    """An answer to a verb that does not exist: what was probably meant."""
    said = words.name(word)
    close = difflib.get_close_matches(word.strip().lower(), [*COMMANDS, *_ELSEWHERE], n=1)
    text = mrkdwn("I don't know {word}.", word=code(said))
    if _HANDLE.fullmatch(word.strip()):
        text = mrkdwn("{text} Did you mean {command}?", text=text, command=code(f"/tune show {word.strip().lower()}"))
        return message(text, section(text))
    if close and close[0] in COMMANDS:
        text = mrkdwn("{text} Did you mean {command}?", text=text, command=code(COMMANDS[close[0]][0]))
    elif close:
        text = _ELSEWHERE[close[0]]
    help_ = mrkdwn("{command} shows everything I understand.", command=code("/tune help"))
    return message(text, section(lines(text, help_)))


def jobs_list(jobs: Sequence[Record[Job]], datasets: Sequence[Record[Dataset]]) -> Message:
    """The jobs and datasets of a channel, the first twenty of each as given."""
    if not jobs and not datasets:
        text = mrkdwn("Nothing here yet. Drop a dataset in this channel, and I check it.")
        return message(text, section(text))
    return message(
        mrkdwn(
            "{jobs}, {datasets}.", jobs=words.plural(len(jobs), "job"), datasets=words.plural(len(datasets), "dataset")
        ),
        *sections(_job_line(job) for job in jobs[:LISTED]),
        *sections(_dataset_line(dataset) for dataset in datasets[:LISTED]),
        context(
            mrkdwn("{command} says more.", command=code(f"/tune show {(jobs or datasets)[0].ref.id}")),
            _NEWEST if max(len(jobs), len(datasets)) >= LISTED else EMPTY,
        ),
    )


_NEWEST: Final = mrkdwn("These are the newest; older ones can be named, too.")
_DATASET_STATES: Final = {"accepted": "ready", "rejected": "has errors", "unreadable": "cannot be read"}
"""States that people would not call by their own names."""


def job_details(record: Record[Job], events: Sequence[Mapping[str, Any]], now_ms: int) -> Message:
    """A job in full, to the person who asked."""
    text = mrkdwn("{title}: {stage}", title=job_title(record), stage=stage_sentence(record, now_ms))
    buttons = actions(try_button(record), stop_button(record), cancel_button(record))
    return message(text, *details_blocks(record, events, now_ms), buttons)


def refusal(error: UserError) -> Message:
    """Why something was not done, and what to do instead."""
    text = prose(error.message).clipped(TEXT_MAX)
    return message(join(" ", [text, prose(error.hint)]), section(lines(text, prose(error.hint).clipped(TEXT_MAX))))


def something_failed(reference: str) -> Message:
    """Our own failure, with the reference that the log has too."""
    text = mrkdwn("Something failed on our side (ref {reference}).", reference=code(words.name(reference)))
    what = mrkdwn("Try again in a minute. If it fails again, give that reference to whoever runs me.")
    return message(text, section(lines(text, what)))


def welcome() -> Message:
    """The one introduction to a channel."""
    text = mrkdwn("I'm Tuneroom. Drop a dataset here, and I check it, quote the price and train a model on it.")
    return message(
        text,
        section(
            lines(
                text,
                mrkdwn("JSONL, CSV, XLSX: one example a row, as chat {messages} or as {pair}.", **_COLUMNS),
            )
        ),
        actions(sample_button()),
        context(mrkdwn("Nothing costs money before you have seen the price and confirmed it. {help}", help=_HELP)),
    )


_COLUMNS: Final = {"messages": code("messages"), "pair": mrkdwn("{p} and {c}", p=code("prompt"), c=code("completion"))}
_HELP: Final = mrkdwn("{command} says what else I do.", command=code("/tune help"))


def not_training_data(filename: str) -> Message:
    """An answer, to the one who dropped it, to a file that is no dataset."""
    text = mrkdwn("*{file}* does not look like training data, so I left it alone.", file=words.name(filename))
    what = mrkdwn("I read JSONL, JSON, CSV, TSV, XLSX, Parquet and text. If it is one, name it so and drop it again.")
    return message(text, section(lines(text, what)))


def _job_line(record: Record[Job]) -> Mrkdwn:
    job = record.data
    parts = [
        mrkdwn("{stage}", stage=stage_short(record)),
        mention(job.person),
        mrkdwn("{price}", price=price_words(job)),
    ]
    title = words.name(job.title, NAME_IN_LIST)
    return mrkdwn("*{id}* {title} · {rest}", id=record.ref.id, title=title, rest=join(" · ", parts)).clipped(LINE_MAX)


def _dataset_line(record: Record[Dataset]) -> Mrkdwn:
    rows = words.plural(record.data.rows_seen, "row") if record.data.rows_seen else ""
    state = _DATASET_STATES.get(record.state, record.state)
    parts = [mrkdwn("{part}", part=part) for part in (state, rows)]
    name = words.name(record.data.filename, NAME_IN_LIST)
    return mrkdwn("*{id}* {name} · {rest}", id=record.ref.id, name=name, rest=join(" · ", parts)).clipped(LINE_MAX)
