"""The key routes: create, list, revoke, verify (noukai section 1.2 and endpoint 14)."""

from __future__ import annotations

import re
import secrets
import string
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from flowdbg.dialects.bodies import json_body
from flowdbg.dialects.encoding import timestamp
from flowdbg.dialects.operations import (
    FORBIDDEN,
    INVALID_REQUEST,
    Answer,
    Operation,
    Parameter,
    Refusal,
    Schema,
    caller_of,
    json_answer,
)
from flowdbg.server.auth import secret_hash
from flowdbg.server.storage import keys
from flowdbg.server.storage.database import Database
from flowdbg.server.storage.keys import KeyRecord

MOST_ACTIVE = 10
"""Active keys that one project may have."""
KEY_LIMIT_REACHED = "KEY_LIMIT_REACHED"
KEY_NOT_FOUND = "KEY_NOT_FOUND"

_ALPHABET = string.ascii_letters + string.digits
_PROJECT = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}/[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_KEY_FIELDS: dict[str, Any] = {
    "id": {"type": "string"},
    "projectId": {"type": "string"},
    "name": {"type": "string"},
    "environment": {"enum": ["live", "test"]},
    "createdAt": {"type": "string"},
    "expiresAt": {"type": ["string", "null"]},
    "revokedAt": {"type": ["string", "null"]},
    "active": {"type": "boolean"},
}
_KEY: Schema = {"type": "object", "required": list(_KEY_FIELDS), "properties": _KEY_FIELDS}

_CREATED: Schema = {**_KEY, "properties": {**_KEY_FIELDS, "key": {"type": "string"}}}
_LISTING: Schema = {
    "type": "object",
    "properties": {"keys": {"type": "array", "items": _KEY}},
}
_NEW_KEY: Schema = {
    "type": "object",
    "required": ["projectId"],
    "properties": {
        "projectId": {"type": "string"},
        "name": {"type": ["string", "null"]},
        "environment": {"enum": ["live", "test", None]},
        "expiresAt": {"type": ["string", "null"], "format": "date-time"},
    },
}
_OF_PROJECT = Parameter("projectId", "query", "`org/project`.", {"type": "string"}, required=True)


class Keys:
    """The handlers of the key routes."""

    def __init__(self, database: Database, max_body: int) -> None:
        self._database = database
        self._max_body = max_body

    async def create(self, request: Request) -> Response:
        """Answer `POST /keys`; the only answer that ever carries the key itself."""
        _need_administrator(request)
        body = await json_body(request, self._max_body)
        project = _project(body.get("projectId"))
        name, environment = body.get("name") or "", body.get("environment") or "live"
        if not isinstance(name, str) or len(name) > 200 or not name.isprintable():
            raise Refusal(400, INVALID_REQUEST, "`name` must be a text of at most 200 characters.")
        if environment not in ("live", "test"):
            raise Refusal(400, INVALID_REQUEST, "`environment` must be live or test.")
        key_id = _random(8)
        key = f"nk_{environment}_{key_id}_{_random(32)}"
        record = KeyRecord(
            id=key_id,
            project=project,
            name=name,
            environment=environment,
            secret_hash=secret_hash(key),
            created_at=time.time(),
            expires_at=_moment(body.get("expiresAt")),
            revoked_at=None,
        )
        added = await self._database.write(
            lambda connection: keys.add_key(connection, record, MOST_ACTIVE)
        )
        if not added:
            message = f"The project has {MOST_ACTIVE} active keys. Revoke one first."
            raise Refusal(409, KEY_LIMIT_REACHED, message)
        return json_answer({**_key_json(record), "key": key}, 201)

    async def listing(self, request: Request) -> Response:
        """Answer `GET /keys`."""
        _need_administrator(request)
        project = _project(request.query_params.get("projectId"))
        found = await self._database.read(lambda connection: keys.keys_of(connection, project))
        return json_answer({"keys": [_key_json(record) for record in found]})

    async def revoke(self, request: Request) -> Response:
        """Answer `DELETE /keys/{keyId}`; effective at once."""
        _need_administrator(request)
        key_id = request.path_params["keyId"]

        found = await self._database.write(lambda connection: keys.revoke_key(connection, key_id))
        if not found:
            raise Refusal(404, KEY_NOT_FOUND, "There is no key with that id.")
        return json_answer({"id": key_id, "revoked": True})

    async def verify(self, request: Request) -> Response:
        """Answer `GET /keys/verify`: the key was good enough to get here."""
        caller = caller_of(request)
        return json_answer({"valid": True, "projectId": caller.project})

    def operations(self) -> Sequence[Operation]:
        """The routes."""
        wrong = Answer("A field or parameter is wrong.")
        return (
            Operation(
                "POST",
                "/keys",
                "createKey",
                "Create a key for one project.",
                self.create,
                {
                    201: Answer("The key; it is never shown again.", _CREATED),
                    400: wrong,
                    409: Answer("The project has as many active keys as it may."),
                    413: Answer("The body is too large."),
                },
                body=_NEW_KEY,
            ),
            Operation(
                "GET",
                "/keys",
                "listKeys",
                "The keys of a project, without their secrets.",
                self.listing,
                {200: Answer("The keys.", _LISTING), 400: wrong},
                parameters=(_OF_PROJECT,),
            ),
            Operation(
                "DELETE",
                "/keys/{keyId}",
                "revokeKey",
                "Revoke a key.",
                self.revoke,
                {200: Answer("It opens nothing any more.", {"type": "object"}), 404: Answer("No.")},
            ),
            Operation(
                "GET",
                "/keys/verify",
                "verifyKey",
                "Whether the key of the request is good, and for what.",
                self.verify,
                {200: Answer("It is.", {"type": "object"})},
            ),
        )


def _need_administrator(request: Request) -> None:
    if not caller_of(request).administrator:
        raise Refusal(403, FORBIDDEN, "A project's key cannot manage keys.")


def _project(value: object) -> str:
    if not isinstance(value, str) or not _PROJECT.fullmatch(value):
        raise Refusal(400, INVALID_REQUEST, "`projectId` must be org/project.")
    return value


def _moment(value: object) -> float | None:
    """An ISO 8601 time in the future as seconds since the epoch; None when there is none."""
    if value is None:
        return None
    try:
        moment = datetime.fromisoformat(value) if isinstance(value, str) else None
        seconds = None if moment is None else _utc(moment).timestamp()
    except (ValueError, OverflowError):
        seconds = None
    if seconds is None or seconds <= time.time():
        message = "`expiresAt` must be a time in the future, such as 2030-01-31T12:00:00Z."
        raise Refusal(400, INVALID_REQUEST, message)
    return seconds


def _utc(moment: datetime) -> datetime:
    return moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)


def _random(length: int) -> str:
    return "".join(secrets.choice(_ALPHABET) for _ in range(length))


def _key_json(record: KeyRecord) -> dict[str, Any]:
    return {
        "id": record.id,
        "projectId": record.project,
        "name": record.name,
        "environment": record.environment,
        "createdAt": timestamp(record.created_at),
        "expiresAt": None if record.expires_at is None else timestamp(record.expires_at),
        "revokedAt": None if record.revoked_at is None else timestamp(record.revoked_at),
        "active": record.active,
    }
