"""Who and what the workspace holds when it is new: its team, four people, the bot and its channels."""

from typing import Any

from sandbox.clock import now_s

Json = dict[str, Any]

TEAM_ID = "T000LOCAL0"
TEAM_NAME = "Local workspace"
TEAM_DOMAIN = "local-workspace"
OTHER_TEAM_ID = "T0EXTERNAL"
APP_ID = "A0000TUNE0"
BOT_ID = "B0000TUNE0"
BOT_USER_ID = "U0000TUNE0"
MINA, JUN, GIL, EXT = "U0000MINA0", "U00000JUN0", "U00000GIL0", "U00000EXT0"
TUNING, GENERAL, PARTNERS = "C0TUNING00", "C0GENERAL0", "C0PARTNERS"


def direct_message_id(user_id: str) -> str:
    """Return the id of the direct message between a person and the bot."""
    return "D" + user_id[1:]


def user_record(user_id: str, name: str, real_name: str, title: str, **marks: Any) -> Json:
    """Build a user object as `users.info` returns it."""
    team_id = marks.pop("team_id", TEAM_ID)
    return {
        "id": user_id,
        "team_id": team_id,
        "name": name,
        "deleted": False,
        "real_name": real_name,
        "tz": "Asia/Seoul",
        "tz_label": "Korea Standard Time",
        "tz_offset": 32400,
        "profile": {
            "real_name": real_name,
            "display_name": name,
            "real_name_normalized": real_name,
            "display_name_normalized": name,
            "title": title,
            "team": team_id,
            "email": f"{name}@example.com",
        },
        "is_admin": False,
        "is_owner": False,
        "is_primary_owner": False,
        "is_restricted": False,
        "is_ultra_restricted": False,
        "is_bot": False,
        "is_app_user": False,
        "updated": now_s(),
        "locale": "en-US",
        **marks,
    }


def first_users(bot_name: str) -> list[Json]:
    """Return the people of a new workspace, and the bot's user."""
    bot = user_record(BOT_USER_ID, bot_name, bot_name.capitalize(), "App", is_bot=True)
    bot["profile"] |= {"bot_id": BOT_ID, "api_app_id": APP_ID, "email": None}
    return [
        user_record(MINA, "mina", "Mina Park", "Member"),
        user_record(JUN, "jun", "Jun Lee", "Admin", is_admin=True),
        user_record(GIL, "gil", "Gil Torres", "Guest", is_restricted=True),
        user_record(EXT, "ext", "Ext Meyer", "From another organisation", team_id=OTHER_TEAM_ID, is_stranger=True),
        bot,
    ]


def channel_record(channel_id: str, name: str, topic: str, members: list[str], *, shared: bool = False) -> Json:
    """Build a public channel; `members` is ours, and is taken out before the app sees it."""
    text = {"value": topic, "creator": JUN, "last_set": 0}
    return {
        "id": channel_id,
        "name": name,
        "name_normalized": name,
        "is_channel": True,
        "is_group": False,
        "is_im": False,
        "is_mpim": False,
        "is_private": False,
        "is_archived": False,
        "is_general": name == "general",
        "is_shared": shared,
        "is_ext_shared": shared,
        "is_org_shared": False,
        "is_pending_ext_shared": False,
        "created": now_s(),
        "creator": JUN,
        "context_team_id": TEAM_ID,
        "shared_team_ids": [TEAM_ID, OTHER_TEAM_ID] if shared else [TEAM_ID],
        "topic": text,
        "purpose": text,
        "members": members,
    }


def direct_message_record(user_id: str) -> Json:
    """Build the direct message between a person and the bot."""
    return {
        "id": direct_message_id(user_id),
        "is_channel": False,
        "is_group": False,
        "is_im": True,
        "is_mpim": False,
        "is_private": True,
        "is_archived": False,
        "is_org_shared": False,
        "is_ext_shared": False,
        "is_user_deleted": False,
        "created": now_s(),
        "context_team_id": TEAM_ID,
        "user": user_id,
        "members": [user_id, BOT_USER_ID],
    }


def first_channels() -> list[Json]:
    """Return the channels of a new workspace, with the direct messages to the bot."""
    return [
        channel_record(TUNING, "tuning", "Drop a dataset to have it checked", [MINA, JUN, GIL, BOT_USER_ID]),
        channel_record(GENERAL, "general", "The bot has not been invited here", [MINA, JUN]),
        channel_record(
            PARTNERS, "partners", "Shared with another organisation", [MINA, JUN, EXT, BOT_USER_ID], shared=True
        ),
        *[direct_message_record(user_id) for user_id in (MINA, JUN, GIL, EXT)],
    ]
