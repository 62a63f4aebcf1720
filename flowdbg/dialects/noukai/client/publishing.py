"""The client of the embedded server's publishing routes: implements `Publisher`."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from flowdbg.core.address import FlowAddress
from flowdbg.dialects.noukai.client.http import client_of, explain_to_commands
from flowdbg.dialects.noukai.fields import CHECK_URL
from flowdbg.errors import DefinitionError, Problem, ProtocolViolation, Refused, ServerFailed
from flowdbg.transport.answers import ErrorAnswer


class NoukaiPublisher:
    """A server that keeps numbered versions of flows."""

    def __init__(self, url: str, key: Callable[[], str]) -> None:
        self._client = client_of(url, key, _explained)

    async def publish(
        self, address: FlowAddress, definition: str, *, production: bool, reuse: bool = False
    ) -> dict[str, Any]:
        """Freeze a flow file's text as the next version."""
        body = {"definition": definition, "production": production, "reuse": reuse}
        try:
            answer = await self._send("POST", f"/flows/{address}/versions", body)
        except Refused as error:
            problems = _problems(error.detail.get("problems"))
            if not problems:
                raise
            raise DefinitionError(problems) from error
        return _checked(answer, version=int, production=bool)

    async def versions(self, address: FlowAddress) -> dict[str, Any]:
        """The published versions."""
        answer = await self._client.get_json(f"/flows/{address}/versions")
        told = _checked(answer.value, versions=list)
        for version in told["versions"]:
            _checked(version, version=int, production=bool, createdAt=str, hash=str)
        return told

    async def promote(self, address: FlowAddress, version: int) -> dict[str, Any]:
        """Make a version the one that an address without a version means."""
        answer = await self._send("PUT", f"/flows/{address}/production", {"version": version})
        return _checked(answer, production=int)

    async def aclose(self) -> None:
        """Close all connections."""
        await self._client.aclose()

    async def _send(self, method: str, path: str, body: dict[str, Any]) -> Any:
        return (await self._client.send_json(method, path, json.dumps(body).encode())).value


def _explained(answer: ErrorAnswer) -> Refused:
    error = explain_to_commands(answer)
    if isinstance(error, ServerFailed):
        error.next_step = "Look at the server's log, and at the flow's versions, and try again."
    return error


def _checked(answer: Any, **members: type) -> dict[str, Any]:
    """An answer that has these members.

    Raises:
        ProtocolViolation: It has not.
    """
    if not isinstance(answer, dict):
        raise ProtocolViolation("The server's answer is not a JSON object.", CHECK_URL)
    for name, kind in members.items():
        if not isinstance(answer.get(name), kind):
            raise ProtocolViolation(f"The server's answer has no {name}.", CHECK_URL)
    return answer


def _problems(told: Any) -> list[Problem]:
    """What the server finds wrong with a definition, as far as it can be read."""
    items = told if isinstance(told, list) else []
    return [
        Problem(
            str(item.get("file") or ""),
            item["line"] if isinstance(item.get("line"), int) else 0,
            str(item.get("field") or ""),
            str(item["message"]),
        )
        for item in items
        if isinstance(item, dict) and item.get("message")
    ]
