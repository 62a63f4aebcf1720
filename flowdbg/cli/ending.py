"""How a command ends: with an exit code, with JSON with a last line, and with what went wrong."""

from __future__ import annotations

import os
import sys
from collections.abc import Coroutine
from contextlib import suppress
from typing import TYPE_CHECKING, Any, NoReturn

import typer

if TYPE_CHECKING:
    from flowdbg.errors import FlowdbgError


def finish(work: Coroutine[Any, Any, int], *, as_json: bool) -> NoReturn:
    """Do the work of a command that asks a server, and end with its exit code.

    With JSON, what ends it before its end is the last line of stdout, beside what stderr says. A
    command line that cannot be read never comes here: stdout stays empty, and the code is 2.
    """
    from flowdbg.errors import FlowdbgError
    from flowdbg.headless.exit_codes import ExitCode, code_of_error
    from flowdbg.headless.interruption import run_interruptible
    from flowdbg.headless.lines import write_line

    try:
        code = run_interruptible(work)
    except FlowdbgError as error:
        if as_json:
            told = {"detail": str(error), "exit_code": code_of_error(error)}
            write_line(sys.stdout, {"event": "error", **told})
        raise
    except KeyboardInterrupt:
        if as_json:
            write_line(sys.stdout, {"event": "interrupted", "exit_code": ExitCode.INTERRUPTED})
        raise
    raise typer.Exit(int(code))


def complain(error: FlowdbgError) -> None:
    """Write to stderr what happened and what to do next, safe for any terminal, without secrets."""
    from flowdbg.core.redaction import Redactor, secret_values
    from flowdbg.present.safe_text import safe_text

    redactor = Redactor(secret_values(os.environ))
    lines = [f"flowdbg: {error.what}", f"  {error.next_step}" if error.next_step else ""]
    with suppress(OSError):  # the exit code tells it where stderr cannot
        for line in filter(None, lines):
            sys.stderr.write(f"{safe_text(redactor.text(line))}\n")
