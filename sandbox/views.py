"""Views: the modals a person has open, one stack each, and the app's Home."""

import secrets
from typing import Any

from sandbox.blockkit.surfaces import view_problems, with_block_ids
from sandbox.clock import new_id
from sandbox.people import APP_ID, BOT_ID, TEAM_ID
from sandbox.refusals import SlackError
from sandbox.store import Store
from sandbox.triggers import Triggers

Json = dict[str, Any]

MAX_STACK = 3


class Views:
    """Opens, pushes, updates and closes views. A record holds `user`, its place in the stack, and the `view`."""

    def __init__(self, store: Store, triggers: Triggers) -> None:
        self._store = store
        self._triggers = triggers

    def get(self, view_id: str) -> Json | None:
        """Return the record of an open view."""
        return self._store.get("view", view_id)

    def stack(self, user_id: str) -> list[Json]:
        """Return a person's open views, the visible one last."""
        return [record for record in self._store.table("view").values() if record["user"] == user_id]

    def open(self, trigger_id: str, view: Json) -> Json:
        """Open a modal in place of whatever the person had open."""
        checked(view, "modal")
        trigger = self._triggers.redeem(trigger_id)
        self._refuse_double(view)
        self.clear(trigger.user_id)
        return self._add(trigger.user_id, view)

    def push(self, trigger_id: str, view: Json) -> Json:
        """Put a modal on top of the one the trigger came from."""
        checked(view, "modal")
        trigger = self._triggers.redeem(trigger_id)
        if trigger.view_id is None or self.get(trigger.view_id) is None:
            raise SlackError("not_found")
        return self.push_for(trigger.user_id, view)

    def push_for(self, user_id: str, view: Json) -> Json:
        """Put a modal on top of a person's stack; raises `push_limit_reached` above three."""
        checked(view, "modal")
        self._refuse_double(view)
        if len(self.stack(user_id)) >= MAX_STACK:
            raise SlackError("push_limit_reached")
        return self._add(user_id, view)

    def update(self, view_id: str, external_id: str, view: Json, given_hash: str) -> Json:
        """Replace an open view; raises `not_found` and, when it changed since `given_hash`, `hash_conflict`."""
        checked(view, "modal")
        table = self._store.table("view").values()
        found = self.get(view_id) or next((r for r in table if external_id and external_id == r["external_id"]), None)
        if found is None:
            raise SlackError("not_found")
        if given_hash and given_hash != found["view"]["hash"]:
            raise SlackError("hash_conflict")
        return self.replace(found, view)

    def replace(self, record: Json, view: Json) -> Json:
        """Put another view in the place of an open one; what was typed stays where the ids stay."""
        old: Json = record["view"]
        shown = {**built(view, record["id"]), "root_view_id": old["root_view_id"]}
        shown |= {"previous_view_id": old["previous_view_id"], "state": old["state"]}
        self._store.put("view", record["id"], {**record, "view": shown, "external_id": shown["external_id"]})
        return shown

    def publish(self, user_id: str, view: Json, given_hash: str) -> Json:
        """Set a person's Home; raises `hash_conflict`."""
        checked(view, "home")
        old = self._store.get("home", user_id)
        if given_hash and old and given_hash != old["view"]["hash"]:
            raise SlackError("hash_conflict")
        shown = built(view, old["view"]["id"] if old else new_id("V"))
        self._store.put("home", user_id, {"user": user_id, "view": shown})
        return shown

    def remember(self, record: Json, values: Json) -> Json:
        """Keep what a person has filled in so far; returns the record with it."""
        view = {**record["view"], "state": {"values": values}}
        return self._store.put("view", record["id"], {**record, "view": view})

    def close(self, record: Json) -> None:
        """Close one view."""
        self._store.delete("view", record["id"])

    def clear(self, user_id: str) -> None:
        """Close all of a person's views."""
        for record in self.stack(user_id):
            self.close(record)

    def _refuse_double(self, view: Json) -> None:
        external_id = view.get("external_id")
        if external_id and any(r["external_id"] == external_id for r in self._store.table("view").values()):
            raise SlackError("duplicate_external_id")

    def _add(self, user_id: str, view: Json) -> Json:
        below = self.stack(user_id)
        shown = built(view, new_id("V"))
        shown["previous_view_id"] = below[-1]["id"] if below else None
        shown["root_view_id"] = below[0]["id"] if below else shown["id"]
        record = {"id": shown["id"], "user": user_id, "view": shown, "external_id": shown["external_id"]}
        self._store.put("view", shown["id"], record)
        return shown


def checked(view: Json, kind: str) -> None:
    """Raise `invalid_arguments` with the reasons for a view that Slack would refuse."""
    problems = view_problems(view, kind)
    if problems:
        raise SlackError("invalid_arguments", *problems)


def built(view: Json, view_id: str) -> Json:
    """Return the view object that Slack makes of what was sent."""
    return {
        "private_metadata": "",
        "callback_id": "",
        "external_id": "",
        "clear_on_close": False,
        "notify_on_close": False,
        "close": None,
        "submit": None,
        "title": {"type": "plain_text", "text": ""},
        **view,
        "blocks": with_block_ids(view["blocks"]),
        "id": view_id,
        "team_id": TEAM_ID,
        "app_id": APP_ID,
        "app_installed_team_id": TEAM_ID,
        "bot_id": BOT_ID,
        "state": {"values": {}},
        "hash": f"{secrets.randbelow(10**10)}.{secrets.token_hex(4)}",
        "previous_view_id": None,
        "root_view_id": view_id,
    }
