"""The `http` block: one request with templates in address, headers and body."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from flowdbg.core.redaction import Redactor, secret_values
from flowdbg.engine.blocks.base import BlockContext, BlockResult, rendered
from flowdbg.engine.errors import BlockFailed
from flowdbg.engine.http_access import HttpAnswer, HttpFailed, HttpRefused
from flowdbg.engine.nodes import HttpBlock


async def run_http(block: HttpBlock, context: BlockContext) -> BlockResult:
    """Send the request; output is `{"status", "headers", "body"}`.

    `body` is the parsed value of a JSON answer, else text.

    Raises:
        BlockFailed: Not allowed (`HTTP_REFUSED`), no answer (`HTTP_FAILED`), or a status of 400
            and above (`HTTP_STATUS`).
    """
    url = await rendered("url", block.url, context)
    headers = {
        name: await rendered(f"headers.{name}", value, context)
        for name, value in block.headers.items()
    }
    content, content_type = await _content(block, context)
    if content_type and not any(name.lower() == "content-type" for name in headers):
        headers["Content-Type"] = content_type
    try:
        answer = await context.services.http.request(block.method, url, headers, content)
    except HttpRefused as error:
        raise BlockFailed("HTTP_REFUSED", error.what, error.next_step, retryable=False) from error
    except HttpFailed as error:
        raise BlockFailed("HTTP_FAILED", error.what, error.next_step) from error
    output = {
        "status": answer.status,
        "headers": dict(answer.headers),
        "body": _body(answer),
    }
    if answer.status >= 400:
        raise BlockFailed(
            "HTTP_STATUS",
            f"The server answered with status {answer.status}.",
            "Look at the answer's body.",
            detail={"status": answer.status, "body": _shown(str(output["body"]), headers)},
            retryable=answer.status in (408, 429) or answer.status >= 500,
        )
    return BlockResult(output)


def _shown(text: str, headers: Mapping[str, str]) -> str:
    """The beginning of an answer, as an error shows it: without a key that it repeats."""
    return Redactor(secret_values(headers)).values(text)[:2000]


async def _content(block: HttpBlock, context: BlockContext) -> tuple[bytes | None, str]:
    if block.body is None:
        return None, ""
    if isinstance(block.body, str):
        text = await rendered("body", block.body, context)
        return text.encode(), "text/plain; charset=utf-8"
    value = await _filled(block.body, context, "body")
    return json.dumps(value, ensure_ascii=False).encode(), "application/json"


async def _filled(value: Any, context: BlockContext, place: str) -> Any:
    """A JSON value whose strings are templates, rendered."""
    if isinstance(value, str):
        return await rendered(place, value, context)
    if isinstance(value, dict):
        return {
            name: await _filled(item, context, f"{place}.{name}") for name, item in value.items()
        }
    if isinstance(value, list):
        return [
            await _filled(item, context, f"{place}[{index}]") for index, item in enumerate(value)
        ]
    return value


def _body(answer: HttpAnswer) -> Any:
    content_type = answer.headers.get("content-type", "").partition(";")[0].strip().lower()
    text = answer.body.decode("utf-8", "replace")
    if content_type == "application/json" or content_type.endswith("+json"):
        try:
            return json.loads(text, parse_constant=_no_constant)
        except (ValueError, RecursionError):
            return text
    return text


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is not a JSON number")
