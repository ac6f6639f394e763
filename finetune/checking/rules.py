"""Every finding a check can make: its severity, its sentence and its hint, in English.

A sentence is written without its subject: "has|have no reply" becomes "Row 17 has no reply." or "Rows 17 and 40 have
no reply." Nothing of a row's content goes into either.
"""

from __future__ import annotations

from dataclasses import dataclass

from finetune.findings import Finding, Severity

_NAMED_ROWS = 3
"""A sentence names this many rows; the finding itself carries more."""


@dataclass(frozen=True, slots=True)
class Rule:
    """What one code means. `verb` is the predicate of the sentence, singular and plural parted by "|"."""

    severity: Severity
    verb: str
    hint: str
    fixable: bool = False


_ROLES = "system, developer, user, assistant, tool or function"
_E, _W, _A = Severity.ERROR, Severity.WARNING, Severity.ADVICE

RULES: dict[str, Rule] = {
    "not-utf8": Rule(_E, "has|have bytes that are not UTF-8 text", "Save the file as UTF-8, and try again."),
    "not-json": Rule(_E, "is|are not JSON", "Mend the line, or delete it."),
    "not-an-object": Rule(
        _E, "is|are JSON, but not an object", "Write one object a line, in { }, with names and values."
    ),
    "broken-row": Rule(
        _E, "does|do not fit the table", 'Put a text that holds the separator, a quote or a line break in "quotes".'
    ),
    "unknown-format": Rule(
        _E,
        "is|are neither a chat nor a prompt and its completion, nor of any other format known",
        "Name columns `prompt` and `completion`, or put the conversation under `messages`.",
    ),
    "mixed-formats": Rule(
        _E, "is|are in another format than the rest of the file", "Keep one format; put the other rows in another file."
    ),
    "missing-column": Rule(
        _E,
        "has|have no text under `prompt` or under `completion`",
        "Name columns `prompt` and `completion`, and put text under both.",
    ),
    "extra-column": Rule(_A, "has|have columns that training does not read", "Delete them, or leave them out."),
    "column-case": Rule(
        _W, "spells|spell a column's name with capitals or spaces", "Name columns `prompt` and `completion` exactly."
    ),
    "empty-completion": Rule(_E, "has|have an empty completion", "Write the answer, or delete the row."),
    "empty-prompt": Rule(_W, "has|have an empty prompt", "Write the prompt, or delete the row."),
    "duplicate-row": Rule(_W, "repeats|repeat an earlier row", "Keep one, unless repetition is deliberate."),
    "near-duplicate": Rule(
        _A,
        "says|say nearly what an earlier row says",
        "Keep the better one, unless both are wanted: they teach the same.",
    ),
    "secret-in-data": Rule(
        _W,
        "seems|seem to hold a key or token",
        "Withdraw it where it came from, and put a made-up one in its place: a model can repeat what it was taught.",
    ),
    "personal-data": Rule(
        _W,
        "seems|seem to hold personal data",
        "Put made-up values in their place, unless you may use them: a model can repeat what it was taught.",
    ),
    "messages-missing": Rule(
        _E,
        "has|have no list of messages",
        "Put the conversation under `messages`, as a list of one message or more.",
    ),
    "message-key-missing": Rule(
        _E, "has|have a message without `role` or `content`", "Give every message a `role` and a `content`."
    ),
    "message-key-unknown": Rule(
        _W,
        "has|have a message with a key that training does not know",
        "Keep `role`, `content`, `name`, `weight` and the keys of tool calls; delete the others.",
    ),
    "role-unknown": Rule(_E, "has|have a message with an unknown role", f"Use {_ROLES}."),
    "content-missing": Rule(_E, "has|have a message without text", "Write the text, or delete the message."),
    "assistant-missing": Rule(_E, "has|have no assistant reply", "Add the reply to learn."),
    "last-not-assistant": Rule(
        _E,
        "does|do not end with the assistant's reply",
        "End with the assistant's reply.",
    ),
    "weight-invalid": Rule(
        _E, "has|have a `weight` other than 0 or 1", "Write 1 to learn the reply, 0 to skip it, or delete `weight`."
    ),
    "nothing-trained": Rule(
        _E, "has|have `weight` 0 on every reply, so nothing is learnt", "Give one reply `weight` 1, or delete the row."
    ),
    "system-missing": Rule(
        _A, "has|have no system message", "Begin with the system message you will use later, the same in every row."
    ),
    "user-missing": Rule(_A, "has|have no user message", "Add what the user says, if the reply answers somebody."),
    "tool-call-unanswered": Rule(
        _E,
        "has|have a tool call without its answer, or an answer without its call",
        "Follow every tool call with a `tool` message that has the same `tool_call_id`.",
    ),
    "tool-arguments-not-json": Rule(
        _E, "has|have a tool call whose arguments are not JSON", "Write `arguments` as JSON text, an object in { }."
    ),
    "tool-schema-invalid": Rule(
        _E,
        "has|have tools or tool calls of the wrong shape",
        "Give every call an `id`, `type` function, and `function` with the `name` of one of the tools and `arguments` "
        "as text; give every tool `type` function, a `name` of letters, digits, _ and -, and a JSON Schema.",
    ),
    "pair-incomplete": Rule(
        _E,
        "has|have no prompt, no preferred answer or no other answer",
        "Fill all three: `input` with `messages`, `preferred_output` and `non_preferred_output`; or `prompt`, `chosen` "
        "and `rejected`.",
    ),
    "pair-identical": Rule(
        _E, "prefers|prefer an answer to itself", "Write another answer as the one not preferred, or delete the row."
    ),
    "pair-multi-turn": Rule(
        _E,
        "has|have more than one turn, where preferences are learnt from one",
        "Keep one question, and one message in each answer.",
    ),
    "pair-not-text": Rule(
        _E,
        "has|have pictures, sound or tool calls, where preferences are learnt from text",
        "Write both answers as text, or delete the row.",
    ),
    "reinforcement-last-not-user": Rule(
        _E,
        "does|do not end with the user's message",
        "Delete what follows the user's last message; the model answers it.",
    ),
    "reinforcement-no-reference": Rule(
        _E,
        "has|have nothing that an answer can be graded against",
        "Put the right answer beside `messages`, such as under `reference_answer`.",
    ),
    "image-format": Rule(
        _E,
        "has|have a picture that cannot be read",
        'Use JPEG, PNG or WEBP in colour (RGB or RGBA): {"type": "image_url", "image_url": {"url": "…"}}.',
    ),
    "image-too-large": Rule(_E, "has|have a picture over 10 MB", "Make it smaller."),
    "images-too-many": Rule(_E, "has|have more than 10 pictures", "Keep 10, or spread them over several rows."),
    "image-in-assistant": Rule(
        _E,
        "has|have a picture in the assistant's message",
        "Move it to the user's message; models learn to write text.",
    ),
    "image-url-unsafe": Rule(
        _E,
        "has|have a picture at an address that others cannot fetch, or should not",
        "Use a public https address without a password in it, or put the picture in as a data URL.",
    ),
    "over-context": Rule(_W, "is|are longer than the model reads", "Shorten it; the end gets cut."),
}


def row_finding(
    code: str, rows: tuple[int, ...], count: int, total: int, *, detail: str = "", hint: str = ""
) -> Finding:
    """Return the finding `code` for `count` of `total` rows, the first of them in `rows`.

    `detail` is appended to the sentence; `hint`, where given, comes before the rule's own.
    """
    rule = RULES[code]
    one, _, rest = rule.verb.partition("|")
    many, _, predicate = rest.partition(" ")
    verb = one if count == 1 else many
    message = f"{_subject(rows, count, total)} {verb} {predicate}{detail}."
    return Finding(code, rule.severity, rows, count, message, f"{hint} {rule.hint}".strip(), rule.fixable)


def _subject(rows: tuple[int, ...], count: int, total: int) -> str:
    if count == total and count > _NAMED_ROWS:
        return f"All {count:,} rows"
    if count == 1:
        return f"Row {rows[0]}"
    named = [str(row) for row in rows[:_NAMED_ROWS]]
    if count > len(named):
        return f"Rows {', '.join(named)} and {count - len(named):,} more"
    return f"Rows {', '.join(named[:-1])} and {named[-1]}"
