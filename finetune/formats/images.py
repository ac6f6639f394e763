"""Pictures in chat rows: their kind, size, number and place, as far as they can be told without fetching any."""

from __future__ import annotations

import base64
import binascii
import ipaddress
import re
from typing import Any, Final, cast
from urllib.parse import urlsplit

IMAGES_MAX: Final = 10
IMAGE_MAX_BYTES: Final = 10 * 1024 * 1024
EXAMPLES_WITH_IMAGES_MAX: Final = 50_000

_DATA_URL: Final = re.compile(r"data:image/(jpeg|jpg|png|webp);base64,", re.IGNORECASE)
_OTHER_ENDINGS: Final = re.compile(r"\.(gif|bmp|svg|tiff?|heic|heif|avif|ico|pdf|mp4|webm)$", re.IGNORECASE)
_PRIVATE_NAMES: Final = re.compile(r"(^|\.)(localhost|local|internal|lan|home|corp|test|invalid)$", re.IGNORECASE)


def problems(messages: list[dict[str, Any]]) -> tuple[list[str], int]:
    """Return the codes of what is wrong with a row's pictures, and how many there are."""
    found: list[str] = []
    count = 0
    for message in messages:
        for part in _pictures(message.get("content")):
            count += 1
            if message.get("role") == "assistant":
                found.append("image-in-assistant")
            found += _picture_problems(part.get("image_url"))
    if count > IMAGES_MAX:
        found.append("images-too-many")
    return found, count


def _pictures(content: Any) -> list[dict[str, Any]]:
    if not isinstance(content, list):
        return []
    parts = [cast("dict[str, Any]", part) for part in cast("list[Any]", content) if isinstance(part, dict)]
    return [part for part in parts if part.get("type") == "image_url"]


def _picture_problems(picture: Any) -> list[str]:
    url = cast("dict[str, Any]", picture).get("url") if isinstance(picture, dict) else None
    if not isinstance(url, str) or not url.strip():
        return ["image-format"]
    if url[:5].lower() == "data:":
        return _embedded(url)
    found = [] if _is_public(url) else ["image-url-unsafe"]
    return [*found, "image-format"] if _OTHER_ENDINGS.search(url.split("?", 1)[0].split("#", 1)[0]) else found


def _embedded(url: str) -> list[str]:
    opening = _DATA_URL.match(url)
    if opening is None:
        return ["image-format"]
    kind = opening[1].lower().replace("jpg", "jpeg")
    encoded = url[opening.end() :]
    if len(encoded) * 3 // 4 - encoded[-2:].count("=") > IMAGE_MAX_BYTES:
        return ["image-too-large"]
    try:
        content = base64.b64decode(encoded, validate=True)
    except (binascii.Error, ValueError):
        return ["image-format"]
    return [] if _is_readable(content, kind) else ["image-format"]


def _is_readable(content: bytes, kind: str) -> bool:
    """Return whether a picture is what it is said to be, in colours: grey, palettes and CMYK are not taken."""
    if kind == "png":
        return content.startswith(b"\x89PNG\r\n\x1a\n") and (len(content) < 26 or content[25] in {2, 6})
    if kind == "webp":
        return content.startswith(b"RIFF") and content[8:12] in {b"WEBP", b""}
    return content.startswith(b"\xff\xd8\xff") and _colours_of_jpeg(content) in {3, None}


def _colours_of_jpeg(content: bytes) -> int | None:
    """Return the number of a JPEG's components, None where its frame header does not come."""
    at = 2
    while at + 10 <= len(content) and content[at] == 0xFF:
        marker = content[at + 1]
        if 0xC0 <= marker <= 0xCF and marker not in {0xC4, 0xC8, 0xCC}:
            return content[at + 9]
        at += 2 + int.from_bytes(content[at + 2 : at + 4], "big")
    return None


def _is_public(url: str) -> bool:
    """Return whether a provider could fetch the address: https, no password in it, no machine of one's own."""
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname or "", parts.port
    except ValueError:
        return False
    if parts.scheme.lower() != "https" or parts.username is not None or not host or _PRIVATE_NAMES.search(host):
        return False
    try:
        return ipaddress.ip_address(host).is_global
    except ValueError:
        return "." in host
