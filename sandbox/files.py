"""Files: received in two steps, kept by id, described as `files.info` does."""

import mimetypes
import secrets
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

from sandbox.clock import new_id, now_s
from sandbox.events import Events
from sandbox.messages import Messages
from sandbox.people import BOT_USER_ID, TEAM_ID
from sandbox.refusals import SlackError
from sandbox.switches import Switches
from sandbox.workspace import Workspace

Json = dict[str, Any]

MAX_FILE_BYTES = 1_000_000_000
TEXT_TYPES = {"json": "JSON", "jsonl": "Plain Text", "csv": "CSV", "txt": "Plain Text", "md": "Markdown"}


class Files:
    """The workspace's files and their bytes, in `directory`, one file each under its id."""

    def __init__(
        self, workspace: Workspace, messages: Messages, events: Events, switches: Switches, directory: Path
    ) -> None:
        self._workspace = workspace
        self._messages = messages
        self._events = events
        self._switches = switches
        self._directory = directory
        self._pending: dict[str, Json] = {}
        directory.mkdir(parents=True, exist_ok=True)

    def get(self, file_id: str) -> Json | None:
        """Return a file's record, or None."""
        return self._workspace.store.get("file", file_id)

    def path(self, file_id: str) -> Path:
        """Return where a file's bytes lie."""
        return self._directory / file_id

    def reserve(self, name: str, length: int, user_id: str) -> tuple[str, str]:
        """Promise a place for a file; returns its id and the token of its upload address."""
        file_id, token = new_id("F"), secrets.token_urlsafe(24)
        self._pending[token] = {"id": file_id, "name": name, "length": length, "user": user_id, "received": False}
        return file_id, token

    async def receive(self, token: str, chunks: AsyncIterator[bytes]) -> int:
        """Take the bytes of a reserved file; returns their number."""
        pending = self._pending.get(token)
        if pending is None:
            raise SlackError("file_not_found", status=404)
        size = await self._write(pending["id"], chunks)
        self._pending[token] = {**pending, "received": True, "size": size}
        return size

    def complete(self, file_id: str, title: str | None, user_id: str) -> Json:
        """Make an uploaded file real; raises `file_not_found` for one that was not reserved, uploaded and mine."""
        found = [(token, pending) for token, pending in self._pending.items() if pending["id"] == file_id]
        if not found or not found[0][1]["received"] or found[0][1]["user"] != user_id:
            raise SlackError("file_not_found")
        token, pending = found[0]
        if pending["length"] != pending["size"]:
            raise SlackError("invalid_arguments", f"the upload has {pending['size']} bytes, not {pending['length']}")
        del self._pending[token]
        return self._put(self._record(file_id, pending["name"], title, pending["user"], pending["size"]))

    async def keep(self, name: str, user_id: str, chunks: AsyncIterator[bytes]) -> Json:
        """Take a file that a person drops on the page."""
        file_id = new_id("F")
        size = await self._write(file_id, chunks)
        return self._put(self._record(file_id, name, None, user_id, size))

    def share(self, files: list[Json], channel: Json, message: Json) -> None:
        """Record that a message shows these files, and tell the app."""
        for file in files:
            share: Json = {"ts": message["ts"], "channel_name": channel.get("name"), "team_id": TEAM_ID}
            if "thread_ts" in message:
                share["thread_ts"] = message["thread_ts"]
            scope = "private" if channel["is_im"] else "public"
            known = self.get(file["id"]) or file
            shares: Json = {**known["shares"]}
            shares[scope] = {**shares.get(scope, {})}
            shares[scope][channel["id"]] = [*shares[scope].get(channel["id"], []), share]
            place = "ims" if channel["is_im"] else "channels"
            places = list(dict.fromkeys([*known[place], channel["id"]]))
            self._put({**known, "shares": shares, place: places, "is_public": scope == "public"})
            self._events.file_shared(file, channel)

    def delete(self, file: Json) -> None:
        """Delete a file; messages keep a tombstone of it."""
        self._workspace.store.delete("file", file["id"])
        self.path(file["id"]).unlink(missing_ok=True)
        stone = {"id": file["id"], "mode": "tombstone"}
        for channel_id in [*file["channels"], *file["ims"]]:
            for message in self._messages.in_channel(channel_id):
                if any(shown["id"] == file["id"] for shown in message.get("files", [])):
                    files = [stone if shown["id"] == file["id"] else shown for shown in message["files"]]
                    self._messages.update(message, {"files": files}, edited=False)

    def visible_to_bot(self, file: Json) -> bool:
        """Say whether the bot may read a file: its own, or one shown where it is."""
        places = [self._workspace.channel(where) for where in [*file["channels"], *file["ims"]]]
        return file["user"] == BOT_USER_ID or any(c is not None and self._workspace.bot_is_in(c) for c in places)

    def described(self, file: Json) -> Json:
        """Return a file as `files.info` shows it, with the size the switch declares."""
        declared: int | None = self._switches.now["declared_size"]
        return file if declared is None else {**file, "size": declared}

    def in_message(self, file: Json, channel: Json) -> Json:
        """Return a file as a message shows it; in shared channels only its id, to be looked up."""
        if channel["is_ext_shared"]:
            return {"id": file["id"], "mode": "file_access", "file_access": "check_file_info", "created": 0}
        return self.described(file)

    async def _write(self, file_id: str, chunks: AsyncIterator[bytes]) -> int:
        size = 0
        beside = self.path(file_id + ".part")
        with beside.open("wb") as out:
            async for chunk in chunks:
                size += len(chunk)
                if size > MAX_FILE_BYTES:
                    beside.unlink()
                    raise SlackError("file_too_large", status=413)
                out.write(chunk)
        beside.replace(self.path(file_id))
        return size

    def _put(self, file: Json) -> Json:
        return self._workspace.store.put("file", file["id"], file)

    def _record(self, file_id: str, name: str, title: str | None, user_id: str, size: int) -> Json:
        extension = name.rpartition(".")[2].lower() if "." in name else ""
        mimetype = mimetypes.guess_type(name)[0] or ("text/plain" if extension in TEXT_TYPES else "")
        mimetype = mimetype or "application/octet-stream"
        address = f"{self._workspace.base_url}/files-pri/{TEAM_ID}-{file_id}"
        return {
            "id": file_id,
            "created": now_s(),
            "timestamp": now_s(),
            "name": name,
            "title": title or name,
            "mimetype": mimetype,
            "filetype": "text" if extension == "jsonl" else extension or "binary",
            "pretty_type": TEXT_TYPES.get(extension, extension.upper() or "Binary"),
            "user": user_id,
            "user_team": TEAM_ID,
            "editable": False,
            "size": size,
            "mode": "snippet" if mimetype.startswith("text/") else "hosted",
            "is_external": False,
            "external_type": "",
            "is_public": False,
            "public_url_shared": False,
            "display_as_bot": False,
            "username": "",
            "url_private": f"{address}/{quote(name)}",
            "url_private_download": f"{address}/download/{quote(name)}",
            "permalink": f"{self._workspace.base_url}/sandbox/files/{file_id}",
            "comments_count": 0,
            "is_starred": False,
            "shares": {},
            "channels": [],
            "groups": [],
            "ims": [],
            "has_rich_preview": False,
            "file_access": "visible",
        }
