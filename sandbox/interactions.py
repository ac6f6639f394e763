"""What a person does that the app hears of: clicks, submissions, shortcuts, commands, and what it answers."""

from typing import Any

from sandbox.answers import Answers
from sandbox.blockkit.state import filled_value, find_element, form_errors, state_values
from sandbox.delivery import Ack, Deliveries
from sandbox.messages import Messages, public
from sandbox.people import APP_ID, TEAM_DOMAIN, TEAM_ID, TEAM_NAME
from sandbox.refusals import SlackError
from sandbox.triggers import ResponseContext, Triggers
from sandbox.views import Views
from sandbox.workspace import Workspace

Json = dict[str, Any]

TROUBLE = "We had some trouble connecting. Try again?"


class Interactions:
    """Builds Slack's interaction payloads, delivers them, and does what the acknowledgement asks for."""

    def __init__(
        self, workspace: Workspace, messages: Messages, views: Views, triggers: Triggers, answers: Answers,
        deliveries: Deliveries,
    ) -> None:  # fmt: skip
        self._workspace = workspace
        self._messages = messages
        self._views = views
        self._triggers = triggers
        self._answers = answers
        self._deliveries = deliveries
        self._message_state: dict[tuple[str, str], Json] = {}

    async def command(self, user: Json, channel: Json, command: str, text: str) -> Json:
        """Run a slash command; an answer in the acknowledgement is shown at once."""
        if command not in self._workspace.config.commands:
            raise SlackError("unknown_command", f"{command} is not a valid command.")
        context = ResponseContext(user["id"], channel["id"])
        ack = await self._deliveries.ask(
            "slash_commands",
            {
                "token": "local",
                "team_id": TEAM_ID,
                "team_domain": TEAM_DOMAIN,
                "channel_id": channel["id"],
                "channel_name": "directmessage" if channel["is_im"] else channel["name"],
                "user_id": user["id"],
                "user_name": user["name"],
                "command": command,
                "text": text,
                "api_app_id": APP_ID,
                "is_enterprise_install": "false",
                "response_url": self._answers.address("commands", context),
                "trigger_id": self._triggers.issue(user["id"]),
            },
        )
        if ack.ok and ack.payload:
            self._answers.post(context, {"response_type": "ephemeral", **ack.payload})
        if not ack.ok:
            self._answers.notice(context, f"{command} failed because the app did not respond.")
        return outcome(ack)

    async def click(self, user: Json, target: Json, action_id: str, block_id: str | None, value: Any) -> Json:
        """Press a button, or choose from a menu, in a message, an ephemeral message, a view or the Home."""
        blocks: list[Json] = target.get("view", target).get("blocks", [])
        found = find_element(blocks, action_id, block_id)
        if found is None:
            raise SlackError("no_such_action", f"nothing here has the action {action_id}")
        block, element = found
        payload = {**self._base("block_actions", user), "actions": [self._action(block, element, value)]}
        choice = {} if element["type"] in {"button", "overflow"} else {block["block_id"]: {action_id: value}}
        if "view" in target:
            payload |= self._in_view(user, target, choice)
        else:
            payload |= self._in_message(user, target, choice)
        return outcome(await self._deliveries.ask("interactive", payload))

    def fill(self, record: Json, given: Json) -> Json:
        """Keep what a person has typed into a view so far; returns its record."""
        values = state_values(record["view"]["blocks"], record["view"]["state"]["values"], given)
        return self._views.remember(record, values) if record["view"]["type"] == "modal" else record

    async def submit(self, user: Json, record: Json, given: Json) -> Json:
        """Submit a modal; what Slack's client would refuse never reaches the app."""
        blocks: list[Json] = record["view"]["blocks"]
        values = state_values(blocks, record["view"]["state"]["values"], given)
        record = self._views.remember(record, values)
        if errors := form_errors(blocks, values):
            return {"ok": False, "acked": False, "errors": errors, "refused_by": "client"}
        payload: Json = {**self._base("view_submission", user), "view": record["view"], "response_urls": []}
        payload["trigger_id"] = self._triggers.issue(user["id"], record["id"])
        ack = await self._deliveries.ask("interactive", payload)
        if not ack.ok:
            return {**outcome(ack), "problem": TROUBLE}
        try:
            return {**outcome(ack), **self._answer_submission(record, ack.payload or {})}
        except SlackError as refused:
            return {"ok": False, "acked": True, "problem": TROUBLE, "reasons": [refused.code, *refused.reasons]}

    async def close(self, user: Json, record: Json, *, whole_stack: bool) -> Json:
        """Close a modal; the app hears of it only if it asked to."""
        closing = self._views.stack(user["id"]) if whole_stack or record["view"]["clear_on_close"] else [record]
        heard = True
        for one in reversed(closing):
            self._views.close(one)
            if one["view"]["notify_on_close"]:
                payload = {**self._base("view_closed", user), "view": one["view"], "is_cleared": whole_stack}
                heard = (await self._deliveries.ask("interactive", payload)).ok and heard
        return {"ok": heard}

    async def shortcut(self, user: Json, message: Json, callback_id: str) -> Json:
        """Run a message shortcut."""
        context = ResponseContext(user["id"], message["channel"], message["ts"])
        payload = {
            **self._base("message_action", user),
            "callback_id": callback_id,
            "trigger_id": self._triggers.issue(user["id"]),
            "response_url": self._answers.address("app", context),
            "message_ts": message["ts"],
            "message": public(message, with_metadata=False),
            "channel": self._place(message["channel"]),
            "action_ts": self._workspace.clock.ts(),
        }
        return outcome(await self._deliveries.ask("interactive", payload))

    def _answer_submission(self, record: Json, answer: Json) -> Json:
        action = answer.get("response_action")
        if action is None:
            self._views.close(record)
            return {"closed": True}
        if action == "errors":
            return {"ok": False, "errors": self._known_errors(record, answer.get("errors", {}))}
        if action == "update":
            current = self._views.get(record["id"]) or record
            return {"view": self._views.update(current["id"], "", answer["view"], "")}
        if action == "push":
            return {"view": self._views.push_for(record["user"], answer["view"])}
        if action == "clear":
            self._views.clear(record["user"])
            return {"closed": True}
        raise SlackError("invalid_response_action", f"unknown response_action: {action}")

    def _known_errors(self, record: Json, errors: Json) -> Json:
        inputs = {block["block_id"] for block in record["view"]["blocks"] if block["type"] == "input"}
        if not errors or set(errors) - inputs:
            raise SlackError(
                "invalid_response_action", f"errors must name input blocks: {sorted(set(errors) - inputs)}"
            )
        return errors

    def _base(self, kind: str, user: Json) -> Json:
        return {
            "type": kind,
            "team": {"id": TEAM_ID, "domain": TEAM_DOMAIN, "name": TEAM_NAME},
            "user": {
                "id": user["id"], "username": user["name"], "name": user["name"], "team_id": user["team_id"],
            },
            "api_app_id": APP_ID,
            "token": "local",
            "enterprise": None,
            "is_enterprise_install": False,
        }  # fmt: skip

    def _action(self, block: Json, element: Json, value: Any) -> Json:
        action: Json = {
            "action_id": element["action_id"],
            "block_id": block["block_id"],
            "type": element["type"],
            "action_ts": self._workspace.clock.ts(),
        }
        if element["type"] == "button":
            return {**action, "text": element["text"], **({"value": element["value"]} if "value" in element else {})}
        return {**action, **filled_value(element, value)}

    def _in_view(self, user: Json, record: Json, choice: Json) -> Json:
        view: Json = record["view"]
        values = state_values(view["blocks"], view["state"]["values"], choice)
        if view["type"] == "modal":
            view = self._views.remember(record, values)["view"]
        return {
            "container": {"type": "view", "view_id": view["id"]},
            "trigger_id": self._triggers.issue(user["id"], view["id"]),
            "view": view,
        }

    def _in_message(self, user: Json, message: Json, choice: Json) -> Json:
        name = (user["id"], message["ts"])
        values = state_values(message["blocks"], self._message_state.get(name, {}), choice)
        self._message_state[name] = values
        ephemeral = bool(message.get("is_ephemeral"))
        context = ResponseContext(user["id"], message["channel"], message["ts"], is_ephemeral=ephemeral)
        container = {
            "type": "message", "message_ts": message["ts"], "channel_id": message["channel"], "is_ephemeral": ephemeral,
        }  # fmt: skip
        if "thread_ts" in message:
            container["thread_ts"] = message["thread_ts"]
        return {
            "container": container,
            "trigger_id": self._triggers.issue(user["id"]),
            "channel": self._place(message["channel"]),
            "state": {"values": values},
            "response_url": self._answers.address("actions", context),
            **({} if ephemeral else {"message": public(message, with_metadata=False)}),
        }

    def _place(self, channel_id: str) -> Json:
        channel = self._workspace.channel(channel_id) or {}
        return {"id": channel_id, "name": "directmessage" if channel.get("is_im") else channel.get("name")}


def outcome(ack: Ack) -> Json:
    """Tell a person's client how an interaction went."""
    return {"ok": ack.ok, "acked": ack.ok, "outcome": ack.outcome}
