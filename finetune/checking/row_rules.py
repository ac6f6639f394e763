"""The rules about rows: what a row of any format can have wrong."""

from __future__ import annotations

from finetune.checking.rule import Rule
from finetune.findings import Severity

_E, _W, _A = Severity.ERROR, Severity.WARNING, Severity.ADVICE

ROW_RULES: dict[str, Rule] = {
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
        "Name columns `prompt` and `completion`, or map them; put text under both.",
        "prepare_data",
    ),
    "extra-column": Rule(
        _A,
        "has|have columns that training does not read",
        "Delete them, or leave them out.",
        "prepare_data",
        fixable=True,
    ),
    "column-case": Rule(
        _W,
        "spells|spell a column's name with capitals or spaces",
        "Name columns `prompt` and `completion` exactly.",
        "prepare_data",
        fixable=True,
    ),
    "empty-completion": Rule(
        _E, "has|have an empty completion", "Write the answer, or delete the row.", "prepare_data", fixable=True
    ),
    "empty-prompt": Rule(_W, "has|have an empty prompt", "Write the prompt, or delete the row.", "prepare_data"),
    "duplicate-row": Rule(
        _W, "repeats|repeat an earlier row", "Keep one, unless repetition is deliberate.", "prepare_data", fixable=True
    ),
    "near-duplicate": Rule(
        _A,
        "says|say nearly what an earlier row says",
        "Keep the better one, unless both are wanted: they teach the same.",
    ),
    "secret-in-data": Rule(
        _W,
        "seems|seem to hold a key or token",
        "Remove this key and revoke it: a model can repeat what it was taught.",
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
        "cookbook",
    ),
    "message-key-missing": Rule(
        _E, "has|have a message without `role` or `content`", "Give every message a `role` and a `content`.", "cookbook"
    ),
    "message-key-unknown": Rule(
        _W,
        "has|have a message with a key that training does not know",
        "Keep `role`, `content`, `name`, `weight` and the keys of tool calls; delete the others.",
        "cookbook",
    ),
    "role-unknown": Rule(
        _E,
        "has|have a message with an unknown role",
        "Use system, developer, user, assistant, tool or function.",
        "cookbook",
    ),
    "content-missing": Rule(
        _E, "has|have a message without text", "Write the text, or delete the message.", "cookbook"
    ),
    "assistant-missing": Rule(_E, "has|have no assistant reply", "Add the reply to learn.", "cookbook"),
    "last-not-assistant": Rule(
        _E, "does|do not end with the assistant's reply", "End with the assistant's reply.", "schema"
    ),
    "weight-invalid": Rule(
        _E,
        "has|have a `weight` other than 0 or 1",
        "Write 1 to learn the reply, 0 to skip it, or delete `weight`.",
        "schema",
    ),
    "nothing-trained": Rule(
        _E,
        "has|have `weight` 0 on every reply, so nothing is learnt",
        "Give one reply `weight` 1, or delete the row.",
        "schema",
    ),
    "system-missing": Rule(
        _A,
        "has|have no system message",
        "Begin with the system message you will use later, the same in every row.",
        "cookbook",
    ),
    "user-missing": Rule(
        _A, "has|have no user message", "Add what the user says, if the reply answers somebody.", "cookbook"
    ),
    "tool-call-unanswered": Rule(
        _E,
        "has|have a tool call without its answer, or an answer without its call",
        "Follow every tool call with a `tool` message that has the same `tool_call_id`.",
        "schema",
    ),
    "tool-arguments-not-json": Rule(
        _E,
        "has|have a tool call whose arguments are not JSON",
        "Write `arguments` as JSON text, an object in { }.",
        "schema",
    ),
    "tool-schema-invalid": Rule(
        _E,
        "has|have tools or tool calls of the wrong shape",
        "Give every call an `id`, `type` function, and `function` with the `name` of one of the tools and `arguments` "
        "as text; give every tool `type` function, a `name` of letters, digits, _ and -, and "
        "a JSON Schema.",
        "schema",
    ),
    "pair-incomplete": Rule(
        _E,
        "has|have no prompt, no preferred answer or no other answer",
        "Fill all three: `input` with `messages`, `preferred_output` and `non_preferred_output`; or `prompt`, `chosen` "
        "and `rejected`.",
        "schema",
    ),
    "pair-identical": Rule(
        _E,
        "prefers|prefer an answer to itself",
        "Write another answer as the one not preferred, or delete the row.",
        "schema",
    ),
    "pair-multi-turn": Rule(
        _E,
        "has|have more than one turn, where preferences are learnt from one",
        "Keep one question, and one message in each answer.",
        "schema",
    ),
    "pair-not-text": Rule(
        _E,
        "has|have pictures, sound or tool calls, where preferences are learnt from text",
        "Write both answers as text, or delete the row.",
        "schema",
    ),
    "reinforcement-last-not-user": Rule(
        _E,
        "does|do not end with the user's message",
        "Delete what follows the user's last message; the model answers it.",
        "guide",
    ),
    "reinforcement-no-reference": Rule(
        _E,
        "has|have nothing that an answer can be graded against",
        "Put the right answer beside `messages`, such as under `reference_answer`.",
        "guide",
    ),
    "image-format": Rule(
        _E,
        "has|have a picture that cannot be read",
        'Use JPEG, PNG or WEBP in colour (RGB or RGBA): {"type": "image_url", "image_url": {"url": "…"}}.',
        "guide",
    ),
    "image-too-large": Rule(_E, "has|have a picture over 10 MB", "Make it smaller.", "guide"),
    "images-too-many": Rule(
        _E, "has|have more than 10 pictures", "Keep 10, or spread them over several rows.", "guide"
    ),
    "image-in-assistant": Rule(
        _E,
        "has|have a picture in the assistant's message",
        "Move it to the user's message; models learn to write text.",
        "guide",
    ),
    "image-url-unsafe": Rule(
        _E,
        "has|have a picture at an address that others cannot fetch, or should not",
        "Use a public https address without a password in it, or put the picture in as a data URL.",
        "guide",
    ),
    "over-context": Rule(_W, "is|are longer than the model reads", "Shorten it; the end gets cut.", "cookbook"),
}
