"""views.*: modals and the Home."""

from typing import Any, cast

from sandbox.api.arguments import Arguments
from sandbox.machine import Machine
from sandbox.refusals import SlackError

Json = dict[str, Any]


def open_view(machine: Machine, args: Arguments) -> Json:
    """`views.open`."""
    return {"view": machine.views.open(args.text("trigger_id"), view_of(args))}


def push(machine: Machine, args: Arguments) -> Json:
    """`views.push`."""
    return {"view": machine.views.push(args.text("trigger_id"), view_of(args))}


def update(machine: Machine, args: Arguments) -> Json:
    """`views.update`, by `view_id` or `external_id`."""
    view_id, external_id = args.text("view_id", ""), args.text("external_id", "")
    return {"view": machine.views.update(view_id, external_id, view_of(args), args.text("hash", ""))}


def publish(machine: Machine, args: Arguments) -> Json:
    """`views.publish`: a person's Home."""
    user = machine.store.get("user", args.text("user_id"))
    if user is None:
        raise SlackError("user_not_found")
    return {"view": machine.views.publish(user["id"], view_of(args), args.text("hash", ""))}


def view_of(args: Arguments) -> Json:
    """Read the `view` argument."""
    view = args.json("view")
    if not isinstance(view, dict):
        raise SlackError("invalid_arguments", "[ERROR] must provide an object [json-pointer:/view]")
    return cast("Json", view)
