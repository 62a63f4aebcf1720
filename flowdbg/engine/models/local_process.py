"""Starts, watches and ends the process of an offline model."""

from __future__ import annotations

import asyncio
import json
import secrets
import subprocess
import sys
from pathlib import Path

from flowdbg.errors import ModelError

CONTEXT = 2048
"""Tokens of prompt and answer together, for one request."""
PARALLEL = 2
"""Requests that generate at the same time; more wait for their turn (each takes 45 MB)."""
_MODULE = "flowdbg.engine.models.local_server"


class LocalProcess:
    """One model file, loaded in a process of its own when first used."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._process: subprocess.Popen[str] | None = None
        self._address = ""
        self._key = ""
        self._start: asyncio.Future[None] | None = None

    async def endpoint(self) -> tuple[str, str]:
        """Base URL of its OpenAI-compatible endpoint, and the key for it.

        Raises:
            ModelError: The file cannot be loaded.
        """
        if self._start is None or (self._start.done() and self.pid is None):
            self.close()
            self._start = asyncio.ensure_future(asyncio.to_thread(self._started))
            # Should all have gone when it fails, the next one who asks is told.
            self._start.add_done_callback(lambda start: start.cancelled() or start.exception())
        # Who asked first may go away meanwhile; the model is loaded for those who still wait.
        await asyncio.shield(self._start)
        return f"{self._address}/v1", self._key

    @property
    def pid(self) -> int | None:
        """The process id; None while it does not run."""
        running = self._process is not None and self._process.poll() is None
        return self._process.pid if running and self._process else None

    def close(self) -> None:
        """End the process."""
        process, self._process = self._process, None
        if process is None:
            return
        process.kill()
        process.wait()
        for stream in (process.stdin, process.stdout):
            if stream is not None:
                stream.close()

    def _started(self) -> None:
        self._key = secrets.token_urlsafe(24)
        # -P: a module of the current folder must not stand in for one of ours.
        process = subprocess.Popen(  # noqa: S603  # our own interpreter and module
            [sys.executable, "-P", "-m", _MODULE],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        self._process = process
        settings = {
            "path": str(self._path),
            "key": self._key,
            "context": CONTEXT * PARALLEL,
            "parallel": PARALLEL,
        }
        answer = _exchange(process, json.dumps(settings) + "\n")
        if "address" not in answer:
            reason = answer.get("error") or "no reason given"
            self.close()
            if "No module named" in reason:
                raise ModelError(
                    "The offline model needs a library that is not installed.",
                    "Install flowdbg with the `local` extra.",
                )
            raise ModelError(
                f"The model file {self._path.name} cannot be loaded: {reason.rstrip('.')}.",
                "Use a GGUF file of a supported model.",
            )
        self._address = answer["address"]


def _exchange(process: subprocess.Popen[str], line: str) -> dict[str, str]:
    """Write the settings and read the one line of answer; empty when the process ended."""
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        process.stdin.write(line)
        process.stdin.flush()
        answer = process.stdout.readline()
        return dict(json.loads(answer)) if answer else {"error": "the library ended the process"}
    except (OSError, ValueError) as error:
        return {"error": str(error)}
