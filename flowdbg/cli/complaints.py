"""What went wrong, on stderr: what happened and what to do next, without secrets."""

from __future__ import annotations

import os
import sys

from flowdbg.core.redaction import Redactor, secret_values
from flowdbg.errors import FlowdbgError
from flowdbg.headless.lines import without_keys
from flowdbg.present.safe_text import safe_text


def complain(error: FlowdbgError) -> None:
    """Write an error to stderr, safe for any terminal."""
    redactor = Redactor(secret_values(os.environ))
    sys.stderr.write(f"flowdbg: {safe_text(redactor.text(without_keys(error.what)))}\n")
    if error.next_step:
        sys.stderr.write(f"  {safe_text(redactor.text(without_keys(error.next_step)))}\n")
