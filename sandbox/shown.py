"""What a person sees: messages and modals, with what can be done to them."""

import functools
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, cast

from sandbox.blockkit.state import initial_value, interactive_elements, options_of
from sandbox.transcript import block_text, object_text, text_of

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Element:
    """Something to press or fill in. `option` is the chosen option's value where a menu's option was named."""

    action_id: str
    block_id: str
    type: str
    option: str | None = None


@dataclass(frozen=True)
class Message:
    """A message as a person sees it; `raw` is Slack's object."""

    raw: Json
    names: dict[str, str]

    @property
    def ts(self) -> str:
        """Its timestamp, which is its identity within a channel."""
        return str(self.raw["ts"])

    @property
    def channel(self) -> str:
        """The id of its channel."""
        return str(self.raw["channel"])

    @property
    def thread_ts(self) -> str | None:
        """The timestamp of its thread's root, None outside threads."""
        return self.raw.get("thread_ts")

    @property
    def user(self) -> str:
        """The id of who wrote it."""
        return str(self.raw["user"])

    @property
    def author(self) -> str:
        """The name of who wrote it."""
        return self.names.get(self.user, self.user)

    @property
    def is_bot(self) -> bool:
        """Whether the bot wrote it."""
        return "bot_id" in self.raw

    @functools.cached_property
    def text(self) -> str:
        """Everything it shows, as plain text."""
        return text_of(self.raw, self.names)

    @property
    def blocks(self) -> list[Json]:
        """Its blocks."""
        return self.raw.get("blocks") or []

    @property
    def buttons(self) -> list[str]:
        """The texts of its buttons."""
        return [e["text"]["text"] for _, e in interactive_elements(self.blocks) if e["type"] == "button"]

    @property
    def choices(self) -> list[str]:
        """The texts of its menus' options, the overflow's included."""
        return [option["text"]["text"] for _, e in interactive_elements(self.blocks) for option in options_of(e)]

    @property
    def files(self) -> list[Json]:
        """The files it shows."""
        return self.raw.get("files", [])

    @property
    def metadata(self) -> Json | None:
        """Its metadata."""
        return self.raw.get("metadata")

    @property
    def reactions(self) -> list[str]:
        """The names of its reactions."""
        return [reaction["name"] for reaction in self.raw.get("reactions", [])]

    def mentions(self, user_id: str) -> bool:
        """Say whether it notifies a person: by name, or by @channel, @here or @everyone."""
        marks = (f"<@{user_id}", "<!channel", "<!here", "<!everyone")
        return any(mark in text for text in mrkdwn_texts(self.raw) for mark in marks)


@dataclass(frozen=True, slots=True)
class View:
    """A modal, or the Home, as a person sees it; `raw` is Slack's view object."""

    raw: Json
    user: str
    names: dict[str, str]

    @property
    def id(self) -> str:
        """Its id."""
        return str(self.raw["id"])

    @property
    def title(self) -> str:
        """Its title."""
        return object_text(self.raw["title"])

    @property
    def blocks(self) -> list[Json]:
        """Its blocks."""
        return self.raw["blocks"]

    @property
    def text(self) -> str:
        """Everything it shows, as plain text."""
        return "\n".join([self.title, *(block_text(block, self.names) for block in self.blocks)])

    @property
    def labels(self) -> list[str]:
        """The labels of its inputs."""
        return [object_text(block["label"]) for block in self.blocks if block["type"] == "input"]

    @property
    def buttons(self) -> list[str]:
        """The texts of its buttons, the submit button not included."""
        return [e["text"]["text"] for _, e in interactive_elements(self.blocks) if e["type"] == "button"]

    @property
    def values(self) -> dict[str, Any]:
        """What is filled in now: label -> text, option text, or list of option texts."""
        filled: dict[str, Any] = {}
        for block in self.blocks:
            if block["type"] == "input":
                action_id = block["element"]["action_id"]
                kept = self.raw["state"]["values"].get(block["block_id"], {}).get(action_id)
                filled[object_text(block["label"])] = plain_value(kept or initial_value(block["element"]))
        return filled

    def given(self, values: dict[str, Any]) -> Json:
        """Sort values named by label, block id or action id into {block_id: {action_id: value}}.

        Raises LookupError, naming the labels, for a name that is none of them.
        """
        sorted_values: Json = {}
        for name, value in values.items():
            block_id, fields = self._field(name, value)
            sorted_values.setdefault(block_id, {}).update(fields)
        return sorted_values

    def _field(self, name: str, value: Any) -> tuple[str, Json]:
        for block, element in interactive_elements(self.blocks):
            names = {block["block_id"], element["action_id"], object_text(block.get("label"))}
            if name not in names:
                continue
            nested = isinstance(value, dict) and name == block["block_id"]
            return block["block_id"], cast("Json", value) if nested else {element["action_id"]: value}
        raise LookupError(f"no field {name!r} in {self.title!r}; there are {', '.join(self.labels) or 'none'}")


def find(blocks: list[Json], what: str) -> Element:
    """Find what to press by action id, button text, or a menu option's text or value; LookupError names them all."""
    for candidate, names in pressable(blocks):
        if what in names:
            return candidate
    shown = sorted({name for _, names in pressable(blocks) for name in names if name})
    raise LookupError(f"nothing here is called {what!r}; there are {', '.join(map(repr, shown)) or 'no elements'}")


def pressable(blocks: list[Json]) -> Iterator[tuple[Element, set[str]]]:
    """Yield everything that can be pressed or chosen, with its names."""
    for block, element in interactive_elements(blocks):
        here = Element(element["action_id"], block["block_id"], element["type"])
        label = element["text"]["text"] if element["type"] == "button" else ""
        yield here, {element["action_id"], label}
        for option in options_of(element):
            chosen = Element(here.action_id, here.block_id, here.type, option=option["value"])
            yield chosen, {option["text"]["text"], option["value"]}


def plain_value(payload: Json) -> Any:
    """Return an element's value as a person reads it."""
    if payload.get("selected_option"):
        return payload["selected_option"]["text"]["text"]
    if "selected_options" in payload:
        return [option["text"]["text"] for option in payload["selected_options"]]
    return next((value for field, value in payload.items() if field not in {"type", "selected_option"}), None)


def mrkdwn_texts(value: Any) -> Iterator[str]:
    """Yield every text in which Slack would see references: a message's own, and mrkdwn at any depth."""
    if isinstance(value, list):
        for one in value:  # pyright: ignore[reportUnknownVariableType]
            yield from mrkdwn_texts(one)
    elif isinstance(value, dict):
        fields: Json = value  # pyright: ignore[reportUnknownVariableType]
        if isinstance(fields.get("text"), str) and fields.get("type") in {"mrkdwn", "message"}:
            yield fields["text"]
        for one in fields.values():
            yield from mrkdwn_texts(one)
