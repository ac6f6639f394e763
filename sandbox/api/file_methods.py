"""files.*: looked up, uploaded in three steps, deleted."""

from typing import Any, cast

from sandbox.api.arguments import Arguments
from sandbox.api.chat import writable_channel
from sandbox.blockkit.surfaces import checked_blocks
from sandbox.files import MAX_FILE_BYTES
from sandbox.machine import Machine
from sandbox.people import BOT_USER_ID
from sandbox.refusals import SlackError

Json = dict[str, Any]


def info(machine: Machine, args: Arguments) -> Json:
    """`files.info`."""
    file = readable_file(machine, args)
    return {"file": machine.files.described(file), "comments": [], "response_metadata": {"next_cursor": ""}}


def delete(machine: Machine, args: Arguments) -> Json:
    """`files.delete`: the bot's own files only."""
    file = readable_file(machine, args)
    if file["user"] != BOT_USER_ID:
        raise SlackError("cant_delete_file")
    machine.files.delete(file)
    return {}


def get_upload_url(machine: Machine, args: Arguments) -> Json:
    """`files.getUploadURLExternal`."""
    length = args.integer("length", -1)
    if not 1 <= length <= MAX_FILE_BYTES:
        raise SlackError("invalid_arguments", "[ERROR] length must be between 1 and 1000000000")
    file_id, token = machine.files.reserve(args.text("filename"), length, BOT_USER_ID)
    return {"upload_url": f"{machine.workspace.base_url}/upload/v1/{token}", "file_id": file_id}


def complete_upload(machine: Machine, args: Arguments) -> Json:
    """`files.completeUploadExternal`: make the uploads files, and show them in one message if a channel is named."""
    wanted = args.json("files")
    if (
        not isinstance(wanted, list)
        or not all(isinstance(one, dict) for one in cast("list[Any]", wanted))
        or not wanted
    ):
        raise SlackError("invalid_arguments", "[ERROR] missing required field: files")
    where = args.text("channel_id", "") or args.text("channels", "")
    channel = writable_channel(machine, where) if where else None
    blocks = args.json("blocks", "invalid_blocks_format")
    extra: Json = {"blocks": checked_blocks(blocks)} if blocks else {}
    thread_ts = args.text("thread_ts", "")
    if channel is not None and thread_ts and machine.messages.get(channel["id"], thread_ts) is None:
        raise SlackError("invalid_thread_ts")
    uploads = cast("list[Json]", wanted)
    files = [machine.files.complete(one.get("id", ""), one.get("title"), BOT_USER_ID) for one in uploads]
    if channel is not None:
        content: Json = {"text": args.text("initial_comment", ""), "files": files, "upload": True, **extra}
        if thread_ts:
            content["thread_ts"] = thread_ts
        message = machine.messages.post_as_bot(channel, content)
        machine.files.share(files, channel, message)
    return {"files": files}


def readable_file(machine: Machine, args: Arguments) -> Json:
    """Find a file that the bot may see, or raise `file_not_found`."""
    file = machine.files.get(args.text("file"))
    if file is None or not machine.files.visible_to_bot(file):
        raise SlackError("file_not_found")
    return file
