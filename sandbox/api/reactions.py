"""reactions.*: the bot's reactions."""

import re
from typing import Any

from sandbox.api.arguments import Arguments
from sandbox.api.chat import writable_channel
from sandbox.machine import Machine
from sandbox.people import BOT_USER_ID
from sandbox.refusals import SlackError

Json = dict[str, Any]

_NAME = re.compile(r"[a-z0-9_+'-]+(::skin-tone-[2-6])?")


def add(machine: Machine, args: Arguments) -> Json:
    """`reactions.add`."""
    machine.messages.react(reacted_message(machine, args), BOT_USER_ID, reaction_name(args))
    return {}


def remove(machine: Machine, args: Arguments) -> Json:
    """`reactions.remove`."""
    machine.messages.unreact(reacted_message(machine, args), BOT_USER_ID, reaction_name(args))
    return {}


def reacted_message(machine: Machine, args: Arguments) -> Json:
    """Find the message by `channel` and `timestamp`."""
    channel = writable_channel(machine, args.text("channel"))
    message = machine.messages.get(channel["id"], args.text("timestamp"))
    if message is None:
        raise SlackError("message_not_found")
    return message


def reaction_name(args: Arguments) -> str:
    """Read an emoji's name, without colons; raises `invalid_name`."""
    name = args.text("name").strip(":")
    if not _NAME.fullmatch(name):
        raise SlackError("invalid_name")
    return name
