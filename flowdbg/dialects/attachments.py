"""Attachments: images by URL, and what both sides ask of them (section 3).

The bytes are never uploaded: the server hands the URL to the model's provider.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import PurePosixPath
from typing import Any
from urllib.parse import unquote, urlsplit

from flowdbg.errors import UsageError

MOST = 10
"""Attachments of one run."""
LONGEST_URL = 2048
"""Characters."""
LONGEST_NAME = 255
"""Characters of a file name."""

MIME_TYPES = {
    ".jpg": "image/jpeg",
    ".jpeg": "image/jpeg",
    ".png": "image/png",
    ".webp": "image/webp",
    ".gif": "image/gif",
}
"""What a URL's ending says of its type."""
POSSIBLE = tuple(dict.fromkeys(MIME_TYPES.values()))
"""The types that can be attached."""

_TYPE_BEHIND = re.compile(r"(.+)=([a-z]+/[a-z0-9.+-]+)", re.IGNORECASE)


def read_attachments(texts: Sequence[str]) -> list[dict[str, Any]]:
    """Attachments from `URL` or `URL=mime/type`, in the order given, as they go out.

    Raises:
        UsageError: There are too many, or one is not what a server may be given; nothing was sent.
    """
    if len(texts) > MOST:
        raise UsageError(
            f"{len(texts)} attachments are too many; a run takes {MOST}.", "Leave some out."
        )
    return [_attachment(text) for text in texts]


def _attachment(text: str) -> dict[str, Any]:
    match = _TYPE_BEHIND.fullmatch(text)
    url, named = (match[1], match[2].lower()) if match else (text, "")
    if len(url) > LONGEST_URL:
        raise UsageError(
            f"The attachment's URL has {len(url)} characters; {LONGEST_URL} are possible.",
            "Use a shorter one.",
        )
    if not is_https(url):
        raise UsageError(
            f"'{url}' cannot be attached: it is not an https URL.",
            "Write https://… ; the model's provider fetches it from there.",
        )
    path = urlsplit(url).path
    mime = named or MIME_TYPES.get(PurePosixPath(path).suffix.lower(), "")
    known = ", ".join(sorted(POSSIBLE))
    if not mime:
        raise UsageError(
            f"The type of the attachment {url} cannot be told from its ending.",
            f"Write URL=TYPE with one of {known}.",
        )
    if mime not in POSSIBLE:
        raise UsageError(f"'{mime}' cannot be attached.", f"Possible are {known}.")
    name = unquote(path.rpartition("/")[2])
    attachment = {"kind": "url", "url": url, "mime_type": mime}
    return {**attachment, "filename": name} if name and is_file_name(name) else attachment


def is_https(url: str) -> bool:
    """Whether a text is an https URL that somebody else can be sent to."""
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError:
        return False
    return parts.scheme == "https" and bool(parts.hostname) and url.isprintable() and " " not in url


def is_file_name(name: str) -> bool:
    """Whether a text may stand as an attachment's file name."""
    path = any(part in name for part in ("/", "\\", ".."))
    return not path and len(name) <= LONGEST_NAME and name.isprintable()
