"""The publishing routes: list flows, freeze versions, list them, move the production pointer.

They are an extension of ours, below the same prefix as the dialect's own routes.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from flowdbg.dialects.bodies import json_body
from flowdbg.dialects.encoding import timestamp
from flowdbg.dialects.operations import (
    INVALID_REQUEST,
    Refusal,
    caller_of,
    json_answer,
)
from flowdbg.dialects.records import CAPTURES
from flowdbg.dialects.services import Address
from flowdbg.errors import DefinitionError, Problem
from flowdbg.server.catalogue import Catalogue
from flowdbg.server.storage.flows import VersionRow

INVALID_DEFINITION = "INVALID_DEFINITION"


class Publishing:
    """The handlers of the publishing routes."""

    def __init__(self, catalogue: Catalogue, max_body: int) -> None:
        self._catalogue = catalogue
        self._max_body = max_body

    async def flows(self, request: Request) -> Response:
        """Answer `GET /flows`."""
        caller = caller_of(request)
        # Where files lie on the server is its keeper's business only.
        shown = str if caller.administrator else _name
        listing = [
            item
            for item in await self._catalogue.listing()
            if caller.sees(item.address.org, item.address.project)
        ]
        return json_answer(
            {
                "flows": [
                    {
                        "flow": str(item.address),
                        "production": item.production,
                        "newest": item.newest or None,
                        "draft": None
                        if item.draft is None
                        else {
                            "file": shown(item.draft.path),
                            "problems": problems_json(item.draft.problems, shown),
                        },
                    }
                    for item in listing
                ]
            }
        )

    async def publish(self, request: Request) -> Response:
        """Answer `POST …/versions`."""
        body = await json_body(request, self._max_body)
        definition = body.get("definition")
        if not isinstance(definition, str):
            raise Refusal(400, INVALID_REQUEST, "`definition` must be the text of a flow file.")
        try:
            definition.encode()
        except UnicodeEncodeError as error:
            message = "`definition` has half a surrogate pair in it."
            raise Refusal(400, INVALID_REQUEST, message) from error
        production, reuse = _switch(body, "production"), _switch(body, "reuse")
        try:
            row, created = await self._catalogue.publish(
                _address(request), definition, production=production, reuse=reuse
            )
        except DefinitionError as error:
            raise Refusal(
                422, INVALID_DEFINITION, str(error), problems=problems_json(error.problems)
            ) from error
        current, _ = await self._catalogue.versions(_address(request))
        return json_answer({**_version_json(row, current), "created": created}, 201)

    async def versions(self, request: Request) -> Response:
        """Answer `GET …/versions`."""
        current, rows = await self._catalogue.versions(_address(request))
        versions = [_version_json(row, current) for row in rows]
        return json_answer({"production": current, "versions": versions})

    async def set_capture(self, request: Request) -> Response:
        """Answer `PUT …/capture`: how much of inputs and outputs the flow's runs keep."""
        mode = (await json_body(request, self._max_body)).get("mode")
        if mode is not None and mode not in CAPTURES:
            message = f"`mode` must be one of {', '.join(CAPTURES)}, or null."
            raise Refusal(400, INVALID_REQUEST, message)
        await self._catalogue.set_capture(_address(request), mode)
        return json_answer({"mode": mode})

    async def promote(self, request: Request) -> Response:
        """Answer `PUT …/production`."""
        number = (await json_body(request, self._max_body)).get("version")
        if not isinstance(number, int) or isinstance(number, bool):
            raise Refusal(400, INVALID_REQUEST, "`version` must be the number of a version.")
        await self._catalogue.promote(_address(request), number)
        return json_answer({"production": number})


def problems_json(
    problems: Sequence[Problem], shown: Callable[[Path], str] = str
) -> list[dict[str, Any]]:
    """Problems of a flow file as JSON; `shown` says how its path is written."""
    return [
        {
            "file": shown(Path(problem.file)),
            "line": problem.line,
            "field": problem.field,
            "message": problem.message,
        }
        for problem in problems
    ]


def _name(path: Path) -> str:
    return path.name


def _address(request: Request) -> Address:
    parameters = request.path_params
    return Address(parameters["org"], parameters["project"], parameters["flow"])


def _switch(body: dict[str, Any], name: str) -> bool:
    value = body.get(name, False)
    if not isinstance(value, bool):
        raise Refusal(400, INVALID_REQUEST, f"`{name}` must be true or false.")
    return value


def _version_json(row: VersionRow, production: int | None) -> dict[str, Any]:
    return {
        "version": row.number,
        "hash": row.plan_hash,
        "production": row.number == production,
        "createdAt": timestamp(row.created_at),
    }
