"""What went wrong, on stderr: what happened and what to do next, without secrets."""

from __future__ import annotations

import os
import sys
from contextlib import suppress

from flowdbg.core.redaction import Redactor, secret_values
from flowdbg.errors import FlowdbgError
from flowdbg.headless.lines import without_keys
from flowdbg.present.safe_text import safe_text


def complain(error: FlowdbgError) -> None:
    """Write an error to stderr, safe for any terminal."""
    redactor = Redactor(secret_values(os.environ))
    lines = [f"flowdbg: {error.what}", f"  {error.next_step}" if error.next_step else ""]
    with suppress(OSError):  # the exit code tells it where stderr cannot
        for line in filter(None, lines):
            sys.stderr.write(f"{safe_text(redactor.text(without_keys(line)))}\n")
