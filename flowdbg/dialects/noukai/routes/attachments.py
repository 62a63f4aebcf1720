"""Attachments: images by address, checked before anything runs (protocol section 3)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from urllib.parse import urlsplit

from flowdbg.dialects.noukai import wire
from flowdbg.dialects.operations import Refusal
from flowdbg.dialects.services import BlockOverrides, Resolved, Services
from flowdbg.engine.nodes import LlmBlock, walk

MOST = 10
_TYPES = ("image/jpeg", "image/png", "image/webp", "image/gif")
_LONGEST_URL = 2048
_LONGEST_NAME = 255


def read_attachments(given: Sequence[Any]) -> list[dict[str, str]]:
    """The attachments in the protocol's spelling.

    Raises:
        Refusal: 400 `ATTACHMENTS_INVALID`.
    """
    if len(given) > MOST:
        raise Refusal(400, wire.ATTACHMENTS_INVALID, f"At most {MOST} attachments can be given.")
    return [_read(number, item) for number, item in enumerate(given)]


def check_models(
    services: Services, resolved: Resolved, attachments: Sequence[Any], overrides: BlockOverrides
) -> None:
    """See that some model of the flow, as the overrides leave it, can look at images.

    Raises:
        Refusal: 400 `MODEL_MIME_INCOMPATIBLE`.
    """
    if not attachments:
        return
    definition = resolved.definition
    models = {
        str(overrides.get(node.id, {}).get("model") or node.model)
        for step in definition.steps
        for node in walk(step)
        if isinstance(node, LlmBlock)
    }
    if not any(services.sees_images(model, definition.scripts) for model in models):
        raise Refusal(
            400,
            wire.MODEL_MIME_INCOMPATIBLE,
            "No model of this flow can look at images: "
            + (", ".join(sorted(models)) or "it has no `llm` block")
            + ".",
        )


def _read(number: int, item: Any) -> dict[str, str]:
    if not isinstance(item, dict):
        raise _wrong(number, "must be an object")
    if item.get("kind", "url") != "url":
        raise _wrong(number, "must have the kind `url`")
    url = item.get("url")
    if not isinstance(url, str) or not _is_https(url):
        raise _wrong(number, "needs an https:// address")
    if len(url) > _LONGEST_URL:
        raise _wrong(number, f"has an address of more than {_LONGEST_URL} characters")
    mime_type = item.get("mime_type", item.get("mimeType"))
    if mime_type not in _TYPES:
        raise _wrong(number, f"needs a `mime_type` of {', '.join(_TYPES)}")
    read = {"kind": "url", "url": url, "mime_type": mime_type}
    name = item.get("filename")
    if name is None:
        return read
    if not isinstance(name, str) or len(name) > _LONGEST_NAME:
        raise _wrong(number, f"has a file name of more than {_LONGEST_NAME} characters")
    if any(part in name for part in ("/", "\\", "..")):
        raise _wrong(number, "has a path as its file name")
    return {**read, "filename": name}


def _is_https(url: str) -> bool:
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    return parts.scheme == "https" and bool(parts.hostname)


def _wrong(number: int, what: str) -> Refusal:
    return Refusal(400, wire.ATTACHMENTS_INVALID, f"Attachment {number} {what}.")
