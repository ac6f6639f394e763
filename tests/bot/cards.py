"""Records as they are in the middle of a day, and how to read what a view made of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bot.views.message import Message
from finetune.findings import Finding, Severity
from finetune.launch import Quote, TrainRequest
from finetune.report import PriceRange, Report, Tokens
from jobstore.jobs import Job, Progress
from jobstore.records import Dataset, Prompt, Record, Ref
from jobstore.refusals import Refusal
from jobstore.states import Kind

if TYPE_CHECKING:
    from bot.views.blocks import Block

NOON_MS = 1_795_262_400_000
MINUTE_MS = 60_000
LABELS = {"gpt-4o-mini-2024-07-18": "gpt-4o-mini", "gpt-4.1-mini-2025-04-14": "gpt-4.1-mini"}
QUOTE = Quote(low_usd=3.71, high_usd=3.71, epochs=3, tokens=412_345, prices_as_of="2026-11-15")
FREE = Quote(low_usd=0, high_usd=0, epochs=3, tokens=41_000, prices_as_of="2026-11-15")
REFUSED = Refusal(
    code="moderation", message="Row 88 was refused by moderation.", hint="Delete it and drop the file again."
)


def a_request(*, model: str = "gpt-4o-mini-2024-07-18", quote: Quote = QUOTE) -> TrainRequest:
    return TrainRequest(
        dataset="d12",
        sha256="ab" * 32,
        format="chat",
        provider="openai",
        model=model,
        suffix="support-bot",
        seed=7,
        epochs=3,
        batch_size=None,
        learning_rate_multiplier=None,
        holdout_percent=10,
        quote=quote,
    )


def a_job(state: str, *, cancel: bool = False, request: TrainRequest | None = None, **changes: Any) -> Record[Job]:
    request = request or a_request()
    fields: dict[str, Any] = {
        "channel": "C1",
        "person": "UMINA",
        "request": request,
        "digest": request.digest(),
        "contract": "",
        "month": "2026-11",
        "confirmed_ms": NOON_MS,
        "reserved_micros": 5_000_000 if request.quote.high_usd else 0,
        "title": "support-bot",
        "person_name": "Mina",
        "rows": 1204,
    }
    return Record(ref=Ref("T1", Kind.JOB, "j42"), state=state, version=3, cancel=cancel, data=Job(**fields | changes))


def a_training_job(**changes: Any) -> Record[Job]:
    fields: dict[str, Any] = {
        "status": "running",
        "step": 340,
        "total_steps": 900,
        "train_loss": 1.02,
        "previous_loss": 1.31,
        "first_step_ms": NOON_MS,
        "last_step_ms": NOON_MS + 339 * 1500,
    }
    return a_job("training", run="ftjob-1", progress=Progress(**fields | changes))


def a_dataset(state: str, **changes: Any) -> Record[Dataset]:
    fields: dict[str, Any] = {
        "channel": "C1",
        "person": "UMINA",
        "message_ts": "1.0",
        "file_id": "F1",
        "filename": "tickets.csv",
    }
    return Record(ref=Ref("T1", Kind.DATASET, "d12"), state=state, version=2, data=Dataset(**fields | changes))


def a_prompt(state: str = "answered", **changes: Any) -> Record[Prompt]:
    fields: dict[str, Any] = {
        "channel": "C1",
        "person": "UMINA",
        "job": "j42",
        "text": "",
        "model": "ft:1",
        "latency_ms": 812,
        "tokens": 212,
        "cost_usd": 0.000_2,
        "finish": "stop",
    }
    return Record(ref=Ref("T1", Kind.PROMPT, "p1"), state=state, version=2, data=Prompt(**fields | changes))


def a_report(*findings: Finding, **changes: Any) -> Report:
    fields: dict[str, Any] = {
        "format": "chat",
        "rows": 1204,
        "examples": 1204,
        "tokens": Tokens(412_345, 900, 300, 700),
        "epochs": 3,
        "price_usd": {name: PriceRange(3.71, 3.71) for name in LABELS},
        "findings": findings,
        "prices_as_of": "2026-11-15",
    }
    return Report(**fields | changes)


def a_finding(row: int = 17, severity: Severity = Severity.ERROR, message: str = "") -> Finding:
    return Finding(
        "assistant-missing",
        severity,
        (row,),
        1,
        message or f"Row {row} has no assistant reply.",
        "Add the reply to learn.",
    )


def shown(message: Message | Block) -> str:
    """Return everything a person reads in a message or modal, a line each, buttons as [Label]."""
    blocks = message.blocks if isinstance(message, Message) else message["blocks"]
    return "\n".join(line for block in blocks for line in _read(block))


def buttons(message: Message) -> dict[str, dict[str, Any]]:
    """Return a message's buttons by action id."""
    rows = [block["elements"] for block in message.blocks if block["type"] == "actions"]
    return {element["action_id"]: element for row in rows for element in row}


def fields(modal: Block) -> dict[str, Any]:
    """Return what a modal's fields hold at first, by block id; each has one action of the same name."""
    inputs = [block for block in modal["blocks"] if block["type"] == "input"]
    assert all(block["block_id"] == block["element"]["action_id"] for block in inputs)
    return {block["block_id"]: _initial(block["element"]) for block in inputs}


def _initial(element: dict[str, Any]) -> str:
    return element["initial_option"]["value"] if "options" in element else element.get("initial_value", "")


def _label(element: dict[str, Any]) -> str:
    if element["type"] == "overflow":
        return "[⋯ " + ", ".join(option["text"]["text"] for option in element["options"]) + "]"
    return f"[{element['text']['text']}]"


def _read(block: dict[str, Any]) -> list[str]:
    match block["type"]:
        case "section":
            return [block["text"]["text"]]
        case "rich_text":
            return [inner["text"] for part in block["elements"] for inner in part["elements"]]
        case "context":
            return [element["text"] for element in block["elements"]]
        case "actions":
            return [_label(element) for element in block["elements"]]
        case _:
            return []
