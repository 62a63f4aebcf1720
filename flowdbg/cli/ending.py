"""How a command that asks a server ends: with an exit code, and with JSON with a last line."""

from __future__ import annotations

import sys
from collections.abc import Coroutine
from typing import Any, NoReturn

import typer


def finish(work: Coroutine[Any, Any, int], *, as_json: bool) -> NoReturn:
    """Do a command's work and end with its exit code.

    With JSON, what ends it before its end is the last line of stdout, beside what stderr says.
    """
    from flowdbg.errors import FlowdbgError
    from flowdbg.headless.exit_codes import ExitCode, code_of_error
    from flowdbg.headless.interruption import run_interruptible
    from flowdbg.headless.lines import dump

    try:
        code = run_interruptible(work)
    except FlowdbgError as error:
        if as_json:
            line = {"event": "error", "detail": str(error), "exit_code": code_of_error(error)}
            sys.stdout.write(f"{dump(line)}\n")
        raise
    except KeyboardInterrupt:
        if as_json:
            line = {"event": "interrupted", "exit_code": ExitCode.INTERRUPTED}
            sys.stdout.write(f"{dump(line)}\n")
        raise
    raise typer.Exit(int(code))
