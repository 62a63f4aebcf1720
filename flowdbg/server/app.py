"""The server's application: what it is made of, and every route it answers.

`FlowServer` owns the parts; nothing in it knows uvicorn. Dialects get the parts through
`Services` and give back operations.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
import uuid
from collections.abc import AsyncIterator, Sequence

from starlette.convertors import IntegerConvertor, register_url_convertor
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route, Router
from starlette.types import ASGIApp, Receive, Scope, Send

import flowdbg
from flowdbg.dialects.operations import Answer, Operation, Refusal, json_answer
from flowdbg.dialects.routes import SERVER_SIDES, mounted
from flowdbg.dialects.services import Services
from flowdbg.engine.runner import Runner
from flowdbg.engine.services import Services as EngineServices
from flowdbg.errors import StoreError
from flowdbg.server.auth import Gate
from flowdbg.server.catalogue import Catalogue
from flowdbg.server.drafts import Drafts
from flowdbg.server.guard import Guard
from flowdbg.server.history import RunHistory
from flowdbg.server.job_play import JobPlays
from flowdbg.server.jobs import JobDesk
from flowdbg.server.keys import Keys
from flowdbg.server.metrics import Metrics
from flowdbg.server.openapi import document
from flowdbg.server.publishing import Publishing
from flowdbg.server.publishing_documents import publishing_operations
from flowdbg.server.rate_limit import RateLimit
from flowdbg.server.runs import RunBook
from flowdbg.server.settings import ServerSettings, is_loopback
from flowdbg.server.stopping import OpenStreams
from flowdbg.server.storage import runs
from flowdbg.server.storage.database import Database

logger = logging.getLogger("flowdbg.server")

OWN_PREFIX = "/api/v1"
"""What the addresses of the routes that belong to no dialect begin with."""

_DAY = 86_400.0
_SWEEP_SECONDS = 3600.0
_RELOAD_SECONDS = 1.0
_ADOPT_SECONDS = 5.0

Mount = tuple[str, Sequence[Operation]]


class VersionConvertor(IntegerConvertor):
    """A version is a number: `/v1`, never `/vx`, and none of thousands of digits."""

    regex = "[0-9]{1,10}"


register_url_convertor("version", VersionConvertor())


class FlowServer:
    """One server: its database, its flows, its routes; close it when it stops."""

    def __init__(self, settings: ServerSettings) -> None:
        """Open the database and read the flow files.

        Raises:
            UsageError: The database location cannot be read.
            StoreError: The database is held by another server, newer, or out of reach.
        """
        self.settings = settings
        self.database = Database(settings.database, str(uuid.uuid4()), settings.hold)
        self.drafts = Drafts(settings.paths)
        self.drafts.scan()
        self.catalogue = Catalogue(self.database, self.drafts, settings.capture)
        self.streams = OpenStreams()
        self.metrics = Metrics()
        self._engine_services = EngineServices.create(settings.engine)
        self._engine = Runner(self._engine_services)
        self._gate = Gate(settings.api_keys, self.database)
        self._rate_limit = RateLimit(settings.rate_limit)
        self._book = RunBook(self.database, self.metrics)
        plays = JobPlays(self.database, self.catalogue, self._book, self._engine)
        self._jobs = JobDesk(self.database, plays)
        count = self.database.write_now(
            lambda connection: runs.mark_interrupted(connection, self.database.lives)
        )
        if count:
            logger.warning("runs were interrupted by the last stop", extra={"runs": count})
        self.asgi: ASGIApp = self._application()

    def close(self) -> None:
        """Let the database go; what was asked of it is carried out first."""
        self.database.close()

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Do the housekeeping while the server serves; jobs and engine end with it."""
        tasks = [asyncio.create_task(self._housekeeping()), asyncio.create_task(self._adopt())]
        try:
            yield
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            await self._jobs.close()
            await self._engine_services.aclose()

    async def _housekeeping(self) -> None:
        """Remove old runs, and watch the flow files when asked to; runs until cancelled."""
        swept = float("-inf")
        while True:
            if time.monotonic() - swept >= _SWEEP_SECONDS:
                swept = time.monotonic()
                try:
                    await self._sweep()
                except StoreError as error:
                    logger.warning("old runs were not removed", extra={"reason": str(error)})
            if self.settings.reload:
                await self.catalogue.scan()
            await asyncio.sleep(_RELOAD_SECONDS if self.settings.reload else _SWEEP_SECONDS)

    async def _adopt(self) -> None:
        """Care for what dead servers left, at the start and again where others may die.

        Go on as well with what this one had to put off.
        """
        adopted = False
        while True:
            try:
                await self.database.renew_hold()
                await self._jobs.resume()
                if not adopted or not self.database.exclusive:
                    await self._jobs.adopt()
                    adopted = True
                if not self.database.exclusive:
                    await self.database.write(
                        lambda connection: runs.mark_interrupted(connection, self.database.lives)
                    )
            except StoreError as error:
                logger.warning("lost runs could not be looked for", extra={"reason": str(error)})
            await asyncio.sleep(_ADOPT_SECONDS)

    async def _sweep(self) -> None:
        await self._jobs.forget_ended()
        if self.settings.retention_days is None:
            return
        before = time.time() - self.settings.retention_days * _DAY
        removed = 0
        while count := await self.database.write(
            lambda connection: runs.delete_older(connection, before)
        ):
            removed += count
        if removed:
            logger.info("old runs removed", extra={"runs": removed})

    def _application(self) -> ASGIApp:
        services = Services(
            flows=self.catalogue,
            runs=self._book,
            history=RunHistory(self.database, self._book),
            jobs=self._jobs,
            engine=self._engine,
            sees_images=self._engine_services.models.sees_images,
            stopping=self.streams,
            strict_first_call=self.settings.strict_first_call,
            max_body=self.settings.max_body,
            heartbeat=self.settings.heartbeat,
        )
        publishing = Publishing(self.catalogue, self.settings.max_body)
        mounts: list[Mount] = [
            ("", self._own_operations()),
            (OWN_PREFIX, publishing_operations(publishing)),
            (OWN_PREFIX, Keys(self.database, self.settings.max_body).operations()),
            *(mounted(dialect, services) for dialect in SERVER_SIDES),
        ]
        self._document = document(mounts, keys=bool(self.settings.api_keys))
        routes = [
            self._route(prefix, operation)
            for prefix, operations in mounts
            for operation in operations
        ]
        router = Router(routes, redirect_slashes=False, default=_no_route)
        hosts = None if not is_loopback(self.settings.host) else {self.settings.host}
        return Guard(router, self.metrics, hosts)

    def _route(self, prefix: str, operation: Operation) -> Route:
        async def endpoint(request: Request) -> ASGIApp:
            if not operation.open:
                await self._admit(request)
            return await operation.handler(request)

        path = (prefix + operation.path).replace("{version}", "{version:version}")
        return Route(path, endpoint, methods=[operation.method], name=operation.name)

    async def _admit(self, request: Request) -> None:
        """See who calls, how often, and whether the path is theirs."""
        authorization = request.headers.get("authorization")
        address = request.client.host if request.client else ""
        try:
            caller = await self._gate.admit(authorization)
        except Refusal:
            # Who tries a new key each time is known by the address.
            self._rate_limit.count(address)
            raise
        self._rate_limit.count(authorization or address)
        request.scope["flowdbg.caller"] = caller
        parameters = request.path_params
        if "project" in parameters:
            caller.need(parameters["org"], parameters["project"])

    def _own_operations(self) -> Sequence[Operation]:
        anything = {"type": "object"}
        return (
            Operation(
                "GET",
                "/healthz",
                "health",
                "Whether the server works, and what it has done.",
                self._health,
                {200: Answer("It works.", anything)},
                open=True,
            ),
            Operation(
                "GET",
                "/metrics",
                "metrics",
                "Counters in Prometheus' text format.",
                self._metrics_text,
                {200: Answer("The counters.", {"type": "string"}, "text/plain")},
            ),
            Operation(
                "GET",
                f"{OWN_PREFIX}/openapi.json",
                "openapi",
                "This document.",
                self._openapi,
                {200: Answer("The document.", anything)},
                open=True,
            ),
        )

    async def _health(self, request: Request) -> Response:
        await self.database.read(lambda connection: connection.exec_driver_sql("SELECT 1").all())
        return json_answer(
            {
                "status": "stopping" if self.streams.begun else "ok",
                "version": flowdbg.__version__,
                "uptimeSeconds": round(self.metrics.uptime, 3),
                "callsRunning": self.metrics.running,
                "openStreams": len(self.streams),
            }
        )

    async def _metrics_text(self, request: Request) -> Response:
        return PlainTextResponse(self.metrics.text())

    async def _openapi(self, request: Request) -> Response:
        return json_answer(self._document)


async def _no_route(scope: Scope, receive: Receive, send: Send) -> None:
    raise HTTPException(404)
