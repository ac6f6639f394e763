"""How an example or a request is laid out for the model: ChatML for chats, plain text for prompts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from trainer.lines import Chat, Preference

if TYPE_CHECKING:
    from collections.abc import Iterable

    from trainer.lines import Example, Message, Pair

END_OF_TEXT = "<|endoftext|>"
START = "<|im_start|>"
END = "<|im_end|>"
SPECIAL = (END_OF_TEXT, START, END)

# The same layout for Hugging Face's apply_chat_template.
CHAT_TEMPLATE = (
    "{% for message in messages %}"
    "{{ '<|im_start|>' + message['role'] + (' ' + message['name'] if message['name'] else '') + '\\n'"
    " + message['content'] + '<|im_end|>' + '\\n' }}"
    "{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}"
)


@dataclass(frozen=True, slots=True)
class Piece:
    """A run of text, or one special token by its name; `trained` tells whether the loss is taken on it."""

    text: str
    special: bool = False
    trained: bool = False


def all_pieces(example: Example) -> list[Piece]:
    """Every piece that stands in a training example."""
    if isinstance(example, Preference):
        return [*lay_out_preferred(example), *lay_out_message(example.other)]
    return lay_out(example)


def lay_out_preferred(example: Preference) -> list[Piece]:
    """The pieces of a pair's prompt with its preferred answer."""
    return lay_out(Chat((*example.prompt, example.preferred)))


def lay_out_other(example: Preference) -> list[Piece]:
    """The pieces of a pair's prompt with its other answer."""
    return lay_out(Chat((*example.prompt, example.other)))


def lay_out(example: Chat | Pair) -> list[Piece]:
    """The pieces of a training example, in order."""
    if isinstance(example, Chat):
        return [piece for message in example.messages for piece in lay_out_message(message)]
    return [
        *prompt_pieces(example.prompt),
        Piece(example.completion, trained=True),
        Piece(END_OF_TEXT, special=True, trained=True),
    ]


def lay_out_message(message: Message) -> list[Piece]:
    header = f"{message.role} {message.name}\n" if message.name else f"{message.role}\n"
    return [
        Piece(START, special=True),
        Piece(header),
        Piece(message.content, trained=message.trained),
        Piece(END, special=True, trained=message.trained),
        Piece("\n"),
    ]


def chat_pieces(messages: Iterable[Message]) -> list[Piece]:
    """The pieces of a conversation up to where the assistant's next words begin."""
    said = [piece for message in messages for piece in lay_out_message(message)]
    return [*said, Piece(START, special=True), Piece("assistant\n")]


def prompt_pieces(prompt: str) -> list[Piece]:
    """A prompt's pieces. It opens with a special token, so that an empty prompt still has something to go on from."""
    return [Piece(END_OF_TEXT, special=True), Piece(prompt)]
