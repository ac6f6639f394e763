"""users.*, team.info, bots.info, auth.test and apps.connections.open: who is who."""

from typing import Any

from sandbox.api.arguments import Arguments
from sandbox.machine import Machine
from sandbox.people import APP_ID, BOT_ID, BOT_USER_ID, TEAM_DOMAIN, TEAM_ID, TEAM_NAME
from sandbox.refusals import SlackError

Json = dict[str, Any]


def auth_test(machine: Machine, args: Arguments) -> Json:
    """`auth.test`."""
    del args
    return {
        "url": f"{machine.workspace.base_url}/",
        "team": TEAM_NAME,
        "user": machine.config.bot_name,
        "team_id": TEAM_ID,
        "user_id": BOT_USER_ID,
        "bot_id": BOT_ID,
        "is_enterprise_install": False,
    }


def open_connection(machine: Machine, args: Arguments) -> Json:
    """`apps.connections.open`: an address for one Socket Mode connection."""
    del args
    base = machine.workspace.base_url.replace("http", "ws", 1)
    return {"url": f"{base}/link/?ticket={machine.socket_mode.ticket()}&app_id={APP_ID}"}


def user_info(machine: Machine, args: Arguments) -> Json:
    """`users.info`."""
    user = machine.store.get("user", args.text("user"))
    if user is None:
        raise SlackError("user_not_found")
    return {"user": user}


def list_users(machine: Machine, args: Arguments) -> Json:
    """`users.list`, in one page."""
    del args
    return {"members": list(machine.store.table("user").values()), "response_metadata": {"next_cursor": ""}}


def bot_info(machine: Machine, args: Arguments) -> Json:
    """`bots.info`."""
    if args.text("bot", BOT_ID) != BOT_ID:
        raise SlackError("bot_not_found")
    name = machine.config.bot_name
    return {"bot": {"id": BOT_ID, "deleted": False, "name": name, "app_id": APP_ID, "user_id": BOT_USER_ID}}


def team_info(machine: Machine, args: Arguments) -> Json:
    """`team.info`."""
    del machine, args
    return {"team": {"id": TEAM_ID, "name": TEAM_NAME, "domain": TEAM_DOMAIN, "email_domain": "", "icon": {}}}
