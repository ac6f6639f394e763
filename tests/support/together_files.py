"""Files of the server that stands in for Together: shapes of `file_response`, and the redirect that brings bytes."""

from __future__ import annotations

import email
import email.policy
import uuid
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from tests.support.together_wire import refusal
from tests.support.wire import Told

if TYPE_CHECKING:
    from tests.support.wire import Asked


class Files:
    """Files. `validates`: they are read at once; `invalid`: what is wrong with them. `ahead_s`: how far the provider's
    clock is ahead of ours.
    """

    def __init__(self) -> None:
        self.address = ""
        self.files: dict[str, dict[str, Any]] = {}
        self.contents: dict[str, bytes] = {}
        self.checksums: dict[str, str] = {}
        self.validates = True
        self.invalid = ""
        self.ahead_s = 0.0

    def now(self) -> datetime:
        """Return the provider's own time."""
        return datetime.now(UTC) + timedelta(seconds=self.ahead_s)

    def answer(self, asked: Asked) -> Told | None:  # noqa: PLR0911 - a route each
        """Answer what is about files, None for everything else."""
        match (asked.method, *asked.path.strip("/").split("/")):
            case ("POST", "v1", "files"):
                return self._announce(asked)
            case ("PUT", "storage", file):
                return self._store(file, asked)
            case ("POST", "v1", "files", file, "preprocess"):
                return self._read(file)
            case ("GET", "v1", "files"):
                return Told({"data": list(self.files.values())})
            case ("GET", "v1", "files", file):
                return Told(self.files[file]) if file in self.files else refusal(404, "File not found")
            case ("GET", "v1", "files", file, "content"):
                return Told(self.contents[file]) if file in self.contents else refusal(404, "File not found")
            case ("DELETE", "v1", "files", file):
                return self._delete(file)
            case _:
                return None

    def _delete(self, file: str) -> Told:
        if file not in self.files:
            return refusal(404, "File not found")
        del self.files[file]
        self.contents.pop(file, None)
        self.checksums = {checksum: one for checksum, one in self.checksums.items() if one != file}
        return Told({"id": file, "deleted": True})

    def _announce(self, asked: Asked) -> Told:
        """A file is announced by a form, and its bytes are brought to the address that the redirect names."""
        told = _form(asked)
        if told["checksum"] in self.checksums:
            return Told({"file_id": self.checksums[told["checksum"]]}, 409)
        file = f"file-{uuid.uuid4()}"
        self.checksums[told["checksum"]] = file
        self.files[file] = {
            "id": file,
            "object": "file",
            "filename": told["file_name"],
            "FileType": told["file_type"],
            "purpose": told["purpose"],
            "bytes": 0,
            "created_at": int(self.now().timestamp()),
            "processing_status": "PENDING",
        }
        return Told(b"", 302, {"Location": f"{self.address}/storage/{file}", "X-Together-File-Id": file})

    def _store(self, file: str, asked: Asked) -> Told:
        self.contents[file] = asked.content
        self.files[file]["bytes"] = len(asked.content)
        return Told(b"")

    def _read(self, file: str) -> Told:
        status = "INVALID_FORMAT" if self.invalid else "COMPLETED" if self.validates else "RUNNING"
        report = {"valid": not self.invalid, "error": self.invalid or None}
        self.files[file] |= {"processing_status": status, "validation_report": report}
        return Told(self.files[file])


def _form(asked: Asked) -> dict[str, str]:
    head = f"Content-Type: {asked.headers['content-type']}\r\n\r\n".encode()
    form = email.message_from_bytes(head + asked.content, policy=email.policy.HTTP)
    return {
        str(part.get_param("name", header="content-disposition")): part.get_content().strip()
        for part in form.iter_parts()  # type: ignore[attr-defined]
    }
