"""The `flowdbg` program: where everything that can end it becomes text and an exit code.

Nothing is loaded before it can be interrupted: Ctrl-C while the commands load is no traceback.
"""

from __future__ import annotations

import errno
import os
import sys
from contextlib import suppress
from io import TextIOWrapper

USAGE = 2
INTERRUPTED = 130
READER_GONE = 141
"""Who read our output went away; as if SIGPIPE had ended us."""
FAULT = 70
"""A fault of flowdbg itself; this number and the next are those of sysexits.h."""
NO_OUTPUT = 74
"""The standard output cannot be written: a full disk, for instance."""


def main() -> None:
    """Run the program; every error becomes a sentence on stderr and an exit code."""
    code = INTERRUPTED
    with suppress(KeyboardInterrupt):
        code = run_command()
    import signal

    # nothing that is left to do is worth a traceback
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if code in (READER_GONE, NO_OUTPUT):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    sys.exit(code)


def run_command() -> int:
    """Run the command; its exit code."""
    _open_streams()
    from flowdbg.cli.commands import app
    from flowdbg.errors import FlowdbgError

    try:
        try:
            app(prog_name="flowdbg")
        finally:
            sys.stdout.flush()
    except SystemExit as ended:
        if isinstance(ended.__context__, BrokenPipeError):  # typer would say 1, a failed step
            return READER_GONE
        return ended.code if isinstance(ended.code, int) else int(bool(ended.code))
    except FlowdbgError as error:
        from flowdbg.cli.ending import complain
        from flowdbg.headless.exit_codes import code_of_error

        complain(error)
        return int(code_of_error(error))
    except BrokenPipeError:
        return READER_GONE
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT, errno.EIO, errno.EFBIG):
            return _fault(error)
        from flowdbg.cli.ending import complain

        complain(FlowdbgError(f"The output cannot be written: {error.strerror}."))
        return NO_OUTPUT
    except UnicodeEncodeError as error:
        if not any("\udc80" <= sign <= "\udcff" for word in sys.argv for sign in word):
            return _fault(error)
        from flowdbg.cli.ending import complain

        complain(FlowdbgError("A word of the command line is not UTF-8.", "Write it as UTF-8."))
        return USAGE
    except Exception as error:  # noqa: BLE001 - the last net; what falls into it is a fault of ours
        return _fault(error)
    return 0


def _fault(error: Exception) -> int:
    """Say that flowdbg itself is wrong, and keep for its makers where."""
    import tempfile
    import traceback

    from flowdbg.cli.ending import complain
    from flowdbg.errors import FlowdbgError

    told = "".join(traceback.format_exception(error))
    try:
        with tempfile.NamedTemporaryFile(
            "w", prefix="flowdbg-fault-", suffix=".txt", delete=False, encoding="utf-8"
        ) as file:
            file.write(told)
        where = f"Please report it, with {file.name}."
    except OSError:
        where = "Please report it."
    what = f"This is a fault of flowdbg itself ({type(error).__name__}: {error})."
    complain(FlowdbgError(what, f"{where} Sessions are safe: what happened so far is stored."))
    return FAULT


def _open_streams() -> None:
    """Give a program that was started without its standard streams ones that hold nothing.

    What a terminal's encoding does not have is written as an escape, as stderr does anyway.
    """
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, mode, encoding="utf-8"))  # noqa: PTH123, SIM115 - it stays open
    if isinstance(sys.stdout, TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")
