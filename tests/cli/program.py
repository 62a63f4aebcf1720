"""The program in this process: a run costs milliseconds; signals and terminals need another."""

from __future__ import annotations

import contextlib
import io
import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from unittest.mock import patch

from flowdbg.cli import main as program

COMMAND = [sys.executable, "-m", "flowdbg"]


@dataclass(frozen=True)
class Ran:
    """What a command left behind."""

    code: int
    out: str
    err: str

    @property
    def lines(self) -> list[dict[str, Any]]:
        """The JSON lines on stdout."""
        return [json.loads(line) for line in self.out.splitlines()]


def run(*arguments: str, stdin: str = "") -> Ran:
    """Run the program in this process."""
    out, err = io.StringIO(), io.StringIO()
    with (
        patch.object(sys, "argv", ["flowdbg", *arguments]),
        patch.object(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin.encode()))),
        contextlib.redirect_stdout(out),
        contextlib.redirect_stderr(err),
    ):
        code = program.run_command()
    return Ran(code, out.getvalue(), err.getvalue())


class InTurn(list[Any]):
    """A fault server's script that is another one each time; the last one stays."""

    def __init__(self, *scripts: Sequence[Any]) -> None:
        super().__init__()
        self._scripts = list(scripts)

    def __iter__(self) -> Any:
        """The actions of the next script."""
        script = self._scripts[0] if len(self._scripts) == 1 else self._scripts.pop(0)
        return iter(script)
