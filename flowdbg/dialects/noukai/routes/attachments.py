"""Attachments: images by address, checked before anything runs (protocol section 3)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from flowdbg.dialects.attachments import (
    LONGEST_NAME,
    LONGEST_URL,
    MOST,
    POSSIBLE,
    is_file_name,
    is_https,
)
from flowdbg.dialects.noukai import wire
from flowdbg.dialects.operations import Refusal
from flowdbg.dialects.services import BlockOverrides, Resolved, Services
from flowdbg.engine.nodes import LlmBlock, walk


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
    if not isinstance(url, str) or not is_https(url):
        raise _wrong(number, "needs an https:// address")
    if len(url) > LONGEST_URL:
        raise _wrong(number, f"has an address of more than {LONGEST_URL} characters")
    mime_type = item.get("mime_type", item.get("mimeType"))
    if mime_type not in POSSIBLE:
        raise _wrong(number, f"needs a `mime_type` of {', '.join(POSSIBLE)}")
    read = {"kind": "url", "url": url, "mime_type": mime_type}
    name = item.get("filename")
    if name is None:
        return read
    if not isinstance(name, str) or not is_file_name(name):
        raise _wrong(number, f"needs a file name of at most {LONGEST_NAME} characters, no path")
    return {**read, "filename": name}


def _wrong(number: int, what: str) -> Refusal:
    return Refusal(400, wire.ATTACHMENTS_INVALID, f"Attachment {number} {what}.")
