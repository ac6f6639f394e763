"""How to ask a tuned model from a program: curl, Python and Node, with its prompt contract applied, ready to paste.

The key is never in them: each reads OPENAI_API_KEY. Literals are JSON's, which Python and JavaScript read alike.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from bot.mrkdwn import Mrkdwn, clean, mrkdwn, width
from bot.views import words
from bot.views.blocks import context, modal, section
from bot.views.preformatted import LONGEST, preformatted
from finetune.evaluation import LABEL_TOKENS_SPARE

if TYPE_CHECKING:
    from bot.views.message import Block
    from finetune.contract import PromptContract
    from jobstore.jobs import Job
    from jobstore.records import Record

MAX_TOKENS: Final = 256
QUESTION_MAX: Final = 600
QUESTION: Final = "Your question"


@dataclass(frozen=True, slots=True)
class Snippets:
    """One request, three times: `curl` for a POSIX shell, `python` with the openai package, `node` 18 or later."""

    curl: str
    python: str
    node: str


def snippets(base_url: str, model: str, contract: PromptContract, question: str) -> Snippets:
    """Return what asks `model` as its training rows asked, at temperature 0."""
    body = body_of(model, contract, clean(question).strip() or QUESTION)
    is_chat = contract.kind == "chat"
    url = f"{base_url.rstrip('/')}/{'chat/completions' if is_chat else 'completions'}"
    said = "message.content" if is_chat else "text"
    return Snippets(_curl(url, body), _python(base_url, body, said), _node(url, body, said))


def body_of(model: str, contract: PromptContract, question: str) -> dict[str, Any]:
    """Return the request's body: separator, system message and stop as in the training rows."""
    asked: dict[str, Any]
    if contract.kind == "chat":
        asked = {"messages": contract.messages(question)}
    else:
        asked = {"prompt": contract.prompt(question)}
    stop = {"stop": list(contract.stop)} if contract.stop else {}
    return {"model": model, **asked, "temperature": 0, "max_tokens": _max_tokens(contract), **stop}


def _max_tokens(contract: PromptContract) -> int:
    """Return the most tokens an answer takes: of a classifier as many as its longest label, in any tokenizer."""
    longest = max((len(label.text.encode()) for label in contract.labels), default=0)
    return longest + LABEL_TOKENS_SPARE if longest else MAX_TOKENS


def code_modal(record: Record[Job], contract: PromptContract, *, base_url: str, question: str) -> Block:
    """The form-less window with the three snippets; a question that is too long for them is left to the reader."""
    asked = question if width(question) <= QUESTION_MAX else ""
    made = snippets(base_url, record.data.answering, contract, asked)
    parts = (("curl", made.curl), ("Python: pip install openai", made.python), ("Node 18 or later", made.node))
    fits = all(width(text) <= LONGEST for _, text in parts)
    shown = [block for label, text in parts for block in (section(_label(label)), preformatted(text))] if fits else []
    return modal(
        "code",
        "Use it in code",
        [
            section(
                mrkdwn(
                    "{model} asked as its training rows were. Set `OPENAI_API_KEY` first.",
                    model=mrkdwn("*{handle}*", handle=words.model_handle(record.ref.id)),
                )
            ),
            *shown,
            None if fits else section(TOO_LONG),
            context(
                SANDBOX_KEY if words.is_toy(record.data.request.model) else mrkdwn("Keep it out of what you commit.")
            ),
        ],
    )


SANDBOX_KEY: Final = mrkdwn(
    "In the sandbox, the key is what the file `trainer.key` holds, in its folder (`.tuneroom`)."
)
TOO_LONG: Final = mrkdwn(
    "Its system message is too long to show here. Send it as the first message, as it stands in every training row."
)


def _label(text: str) -> Mrkdwn:
    return mrkdwn("*{text}*", text=text)


def _literal(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


def _curl(url: str, body: dict[str, Any]) -> str:
    # in single quotes a shell reads everything as it is, but for a single quote, which JSON can write otherwise
    data = json.dumps(body, ensure_ascii=False, indent=2).replace("'", "\\u0027")
    return (
        f'curl -sS "{url}" \\\n'
        '  -H "Authorization: Bearer $OPENAI_API_KEY" \\\n'
        '  -H "Content-Type: application/json" \\\n'
        f"  -d '{data}'"
    )


def _python(base_url: str, body: dict[str, Any], said: str) -> str:
    kind = "chat.completions" if "messages" in body else "completions"
    arguments = "".join(f"    {name}={_literal(value)},\n" for name, value in body.items())
    return (
        "from openai import OpenAI\n\n"
        f"client = OpenAI(base_url={_literal(base_url)})\n"
        f"answer = client.{kind}.create(\n{arguments})\n"
        f"print(answer.choices[0].{said})"
    )


def _node(url: str, body: dict[str, Any], said: str) -> str:
    fields = "".join(f"    {name}: {_literal(value)},\n" for name, value in body.items())
    return (
        f"fetch({_literal(url)}, {{\n"
        '  method: "POST",\n'
        "  headers: {\n"
        "    Authorization: `Bearer ${process.env.OPENAI_API_KEY}`,\n"
        '    "Content-Type": "application/json",\n'
        "  },\n"
        f"  body: JSON.stringify({{\n{fields}  }}),\n"
        "})\n"
        "  .then((reply) => reply.json())\n"
        f"  .then((answer) => console.log(answer.choices?.[0].{said} ?? answer));"
    )
