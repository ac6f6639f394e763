"""chat.*: the bot's messages."""

from typing import Any, cast

from sandbox.api.arguments import Arguments
from sandbox.blockkit.surfaces import checked_blocks
from sandbox.machine import Machine
from sandbox.messages import is_reply, public
from sandbox.people import BOT_ID
from sandbox.refusals import SlackError

Json = dict[str, Any]

POST_TEXT, UPDATE_TEXT, METADATA_BYTES = 40_000, 4_000, 16_000


def post_message(machine: Machine, args: Arguments) -> Json:
    """`chat.postMessage`."""
    channel = writable_channel(machine, args.text("channel"))
    content = message_content(machine, args)
    if len(content["text"]) > POST_TEXT:
        raise SlackError("msg_too_long")
    if thread_ts := args.text("thread_ts", ""):
        content["thread_ts"] = thread_ts
        if args.flag("reply_broadcast"):
            content["subtype"] = "thread_broadcast"
    message = machine.messages.post_as_bot(channel, content)
    return {"channel": channel["id"], "ts": message["ts"], "message": public(message)}


def update(machine: Machine, args: Arguments) -> Json:
    """`chat.update`. Text without blocks removes the blocks; metadata that is not sent stays."""
    channel, message = own_message(machine, args, "cant_update_message")
    if len(args.text("text", "")) > UPDATE_TEXT:
        raise SlackError("msg_too_long")
    changes = message_content(machine, args)
    if "text" not in args:
        del changes["text"]
    if "text" in args and "blocks" not in args:
        changes["blocks"] = []
    changed = machine.messages.update(message, changes, edited="blocks" not in args)
    return {"channel": channel["id"], "ts": message["ts"], "text": changed["text"], "message": public(changed)}


def delete(machine: Machine, args: Arguments) -> Json:
    """`chat.delete`."""
    channel, message = own_message(machine, args, "cant_delete_message")
    machine.messages.delete(message)
    return {"channel": channel["id"], "ts": message["ts"]}


def post_ephemeral(machine: Machine, args: Arguments) -> Json:
    """`chat.postEphemeral`."""
    channel = writable_channel(machine, args.text("channel"))
    user = machine.workspace.user(args.text("user"))
    if user is None or not machine.workspace.is_member(channel, user["id"]):
        raise SlackError("user_not_in_channel")
    content = message_content(machine, args)
    if thread_ts := args.text("thread_ts", ""):
        content["thread_ts"] = thread_ts
    return {"message_ts": machine.messages.whisper(channel, user["id"], content)["ts"]}


def get_permalink(machine: Machine, args: Arguments) -> Json:
    """`chat.getPermalink`."""
    channel = known_channel(machine, args.text("channel"))
    message = machine.messages.get(channel["id"], args.text("message_ts"))
    if message is None:
        raise SlackError("message_not_found")
    link = f"{machine.workspace.base_url}/archives/{channel['id']}/p{message['ts'].replace('.', '')}"
    if is_reply(message):
        link += f"?thread_ts={message['thread_ts']}&cid={channel['id']}"
    return {"channel": channel["id"], "permalink": link}


def known_channel(machine: Machine, where: str) -> Json:
    """Find a channel or raise `channel_not_found`."""
    channel = machine.workspace.channel(where)
    if channel is None:
        raise SlackError("channel_not_found")
    return channel


def writable_channel(machine: Machine, where: str) -> Json:
    """Find a channel that the bot is in, or raise `not_in_channel`."""
    channel = known_channel(machine, where)
    if not machine.workspace.bot_is_in(channel):
        raise SlackError("not_in_channel")
    return channel


def own_message(machine: Machine, args: Arguments, refusal: str) -> tuple[Json, Json]:
    """Find a message of the bot's own by `channel` and `ts`."""
    channel = known_channel(machine, args.text("channel"))
    message = machine.messages.get(channel["id"], args.text("ts"))
    if message is None:
        raise SlackError("message_not_found")
    if message.get("bot_id") != BOT_ID:
        raise SlackError(refusal)
    return channel, message


def message_content(machine: Machine, args: Arguments) -> Json:
    """Read and check `text`, `blocks`, `attachments` and `metadata`; raises `no_text` when there is nothing."""
    content: Json = {"text": args.text("text", "")}
    blocks = args.json("blocks", "invalid_blocks_format")
    if blocks is not None:
        if not isinstance(blocks, list):
            raise SlackError("invalid_blocks_format")
        content["blocks"] = checked_blocks(blocks)
        refuse_unknown_files(machine, content["blocks"])
    if attachments := args.json("attachments"):
        content["attachments"] = attachments
    if (metadata := args.json("metadata", "metadata_must_be_sent_as_json")) is not None:
        content["metadata"] = checked_metadata(metadata)
    if not (content["text"] or content.get("blocks") or attachments):
        raise SlackError("no_text")
    return content


def checked_metadata(metadata: Any) -> Json:
    """Check a message's metadata: an `event_type` and a flat `event_payload`, or nothing to remove it."""
    if metadata == {}:
        return {}
    fields = cast("Json", metadata) if isinstance(metadata, dict) else {}
    if not isinstance(fields.get("event_type"), str) or not isinstance(fields.get("event_payload"), dict):
        raise SlackError("invalid_metadata_format", "[ERROR] needs event_type and event_payload")
    if len(str(fields)) > METADATA_BYTES:
        raise SlackError("metadata_too_large")
    return fields


def refuse_unknown_files(machine: Machine, value: Any) -> None:
    """Raise `invalid_blocks` for a `slack_file` that is not a file of this workspace."""
    if isinstance(value, list):
        for one in cast("list[Any]", value):
            refuse_unknown_files(machine, one)
    if not isinstance(value, dict):
        return
    for name, one in cast("Json", value).items():
        if name == "slack_file" and find_file(machine, one) is None:
            raise SlackError("invalid_blocks", f"[ERROR] invalid slack file: {one}")
        refuse_unknown_files(machine, one)


def find_file(machine: Machine, reference: Json) -> Json | None:
    """Find the file that a `slack_file` object names, by id or by address."""
    if "id" in reference:
        return machine.files.get(reference["id"])
    files = machine.store.table("file").values()
    return next((f for f in files if reference["url"] in (f["url_private"], f["permalink"])), None)
