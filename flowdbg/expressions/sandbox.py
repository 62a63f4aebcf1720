"""Runs Python expressions and function bodies in worker processes with hard limits.

Values cross as JSON text in both directions, so nothing but JSON comes back: no proxy, no
callable, no foreign type. Only the names that a source reads are sent.
"""

from __future__ import annotations

import asyncio
import json
import keyword
from collections.abc import Callable, Mapping, Set
from dataclasses import dataclass
from typing import Any, Literal

from pydantic_monty import (
    AsyncMonty,
    CollectString,
    MontyCrashedError,
    MontyError,
    MontyRuntimeError,
    MontySyntaxError,
    ResourceLimits,
)

from flowdbg.errors import SandboxError
from flowdbg.expressions.quiet import QuietWorker
from flowdbg.expressions.source import Prepared, prepared

_FUNCTION = "step"
_CALL = f"""
import json as _json
_text = _json.dumps({_FUNCTION}(**_json.loads(_input)), allow_nan=False)
_text if len(_text) <= _limit else None
"""
MODULES = (
    *("asyncio", "base64", "bisect", "collections", "copy", "csv", "dataclasses", "datetime"),
    *("decimal", "functools", "hashlib", "itertools", "json", "math", "random", "re", "time"),
    *("tomllib", "typing", "unicodedata"),
)
"""What code can import and has a use for."""
_NOT_SUPPORTED = "NotImplementedError: The monty syntax parser does not yet support"
_HINTS = {
    "PermissionError:": " Code has no files, network or processes.",
    "ModuleNotFoundError:": f" It can import {', '.join(MODULES)}.",
    "is not JSON serializable":
        " Only objects, lists, text, numbers, booleans and None can be returned.",
    "'dict' object has no attribute": ' A member of an object is read with ["name"].',
    "name 'null' is not defined": " Python writes it None.",
    "name 'true' is not defined": " Python writes it True.",
    "name 'false' is not defined": " Python writes it False.",
}  # fmt: skip
"""What to do about an error, by a part of its words."""
_WORKER_WAIT = 30.0
_SHORT = 5000
"""Characters of a source that is parsed at once; a longer one would keep others waiting."""


@dataclass(frozen=True, slots=True)
class SandboxLimits:
    """What one call may use."""

    seconds: float = 2.0
    """Running time; sleeping has the same bound of its own."""
    memory_bytes: int = 64_000_000
    """Memory of the interpreter's heap, arguments included."""
    output_bytes: int = 4_000_000
    """Length of the result as JSON text."""
    printed_bytes: int = 100_000
    """Everything printed."""
    recursion: int = 300
    """Depth of calls."""


class Sandbox:
    """A pool of workers, started with the first call; use from one event loop."""

    def __init__(self, limits: SandboxLimits | None = None, workers: int = 4) -> None:
        self.limits = limits or SandboxLimits()
        self._workers = workers
        self._quiet = QuietWorker()
        self._pool: AsyncMonty | None = None
        self._starting = asyncio.Lock()

    async def evaluate(self, expression: str, names: Mapping[str, Any]) -> Any:
        """The JSON value of one Python expression over `names` (JSON values).

        Raises:
            SandboxError: It does not parse, fails, passes a limit, or its value is not JSON.
        """
        ready = await _ready(expression, "eval")
        if ready.problem:
            raise SandboxError(f"The expression {ready.problem}.", "Correct the expression.")
        return await self._call(ready, names, 2, None)

    async def run_function(
        self,
        body: str,
        arguments: Mapping[str, Any],
        *,
        on_print: Callable[[str], None] | None = None,
    ) -> Any:
        """What a function with this body and these arguments (JSON values) returns, as JSON.

        Arguments whose name is not an identifier are left out. `on_print` gets everything that
        was printed, once, whether the call succeeds or not.

        Raises:
            SandboxError: As `evaluate`.
        """
        ready = await _ready(body, "exec")
        if ready.problem:
            raise SandboxError(f"The code {ready.problem}.", "Correct the code.")
        return await self._call(ready, arguments, 1, on_print)

    async def aclose(self) -> None:
        """End all workers; a later call starts new ones."""
        pool, self._pool = self._pool, None
        if pool is not None:
            await pool.__aexit__(None, None, None)
        self._quiet.close()

    async def _call(
        self,
        ready: Prepared,
        names: Mapping[str, Any],
        first_line: int,
        on_print: Callable[[str], None] | None,
    ) -> Any:
        arguments = _arguments(names, ready.names)
        source = ready.function.replace("()", f"({', '.join(arguments)})", 1)
        printed = CollectString(self.limits.printed_bytes)
        inputs = {"_input": _as_text(arguments), "_limit": self.limits.output_bytes}
        pool = await self._started()
        try:
            async with pool.checkout(limits=self._resource_limits()) as session:
                text = await session.feed_run(source + _CALL, inputs=inputs, print_callback=printed)
        except TimeoutError as error:
            raise SandboxError(
                f"No worker was free for {_WORKER_WAIT:g} seconds.", "Try again."
            ) from error
        except MontyError as error:
            raise self._explained(error, source, first_line) from error
        finally:
            if on_print is not None and printed.output:
                on_print(printed.output)
        # Looked at again here: code may change the limit that its worker goes by.
        if text is None or len(text) > self.limits.output_bytes:
            raise SandboxError(
                f"The result is larger than {self.limits.output_bytes:,} bytes.", "Return less."
            )
        return json.loads(text)

    async def _started(self) -> AsyncMonty:
        async with self._starting:
            if self._pool is None:
                pool = AsyncMonty(
                    binary_path=self._quiet.path(),
                    min_processes=1,
                    max_processes=self._workers,
                    checkout_timeout=_WORKER_WAIT,
                    request_timeout=2 * self.limits.seconds + 5,
                    max_checkouts_per_worker=1000,
                )
                await pool.__aenter__()
                self._pool = pool
            return self._pool

    def _resource_limits(self) -> ResourceLimits:
        return {
            "max_feed_duration_secs": self.limits.seconds,
            "max_total_sleep_secs": self.limits.seconds,
            "max_memory": self.limits.memory_bytes,
            "max_recursion_depth": self.limits.recursion,
        }

    def _explained(self, error: MontyError, source: str, first_line: int) -> SandboxError:
        if isinstance(error, MontyCrashedError):
            return SandboxError(
                "The worker was ended because the code passed its limits.", "Do less in one step."
            )
        if not isinstance(error, MontyRuntimeError | MontySyntaxError):
            return SandboxError(f"The code was refused: {error}.", "Correct the code.")
        text = " ".join(error.display("type-msg").split("\n"))
        if limit := self._limit_passed(text):
            return SandboxError(*limit)
        text = text.replace(_NOT_SUPPORTED, "The sandbox's Python does not have")
        hint = next((hint for part, hint in _HINTS.items() if part in text), "")
        place = _place(error, source, first_line)
        return SandboxError(f"{text}{place}.{hint}", "Correct the code.")

    def _limit_passed(self, text: str) -> tuple[str, str] | None:
        limits = self.limits
        if text.startswith("TimeoutError") and "limit exceeded" in text:
            return f"It ran longer than {limits.seconds:g} seconds.", "Do less in one step."
        if text.startswith("MemoryError"):
            if f"> {limits.printed_bytes} bytes" in text:
                return f"It printed more than {limits.printed_bytes:,} bytes.", "Print less."
            return f"It needed more than {limits.memory_bytes:,} bytes of memory.", "Use less."
        if text.startswith("RecursionError"):
            return f"It calls itself deeper than {limits.recursion} levels.", "Use a loop."
        return None


async def _ready(source: str, mode: Literal["eval", "exec"]) -> Prepared:
    if len(source) <= _SHORT:
        return prepared(source, mode, _FUNCTION)
    return await asyncio.to_thread(prepared, source, mode, _FUNCTION)


def _arguments(names: Mapping[str, Any], wanted: Set[str]) -> dict[str, Any]:
    return {
        name: value
        for name, value in names.items()
        if name in wanted and name.isidentifier() and not keyword.iskeyword(name)
    }


def _as_text(arguments: Mapping[str, Any]) -> str:
    try:
        text = json.dumps(arguments, ensure_ascii=False)
    except (TypeError, ValueError, RecursionError) as error:
        raise SandboxError(f"The values are not JSON: {error}.", "Correct the input.") from error
    # Workers hold UTF-8, so half of a surrogate pair becomes the replacement character.
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def _place(error: MontyRuntimeError | MontySyntaxError, source: str, first_line: int) -> str:
    """Where in the person's own source the error is; empty when it is outside of it."""
    last_line = source.count("\n") + 1
    for frame in reversed(error.traceback()):
        line = frame.line - first_line
        if frame.line <= last_line and line >= 1:
            text = source.split("\n")[frame.line - 1].strip()
            return f" (line {line}: {text[:80]})"
    return ""
