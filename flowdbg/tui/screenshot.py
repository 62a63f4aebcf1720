"""A picture of the screen as a file, without the secrets that this program knows."""

from __future__ import annotations

import os
import re
import time
from pathlib import Path

from flowdbg.core.redaction import Redactor, secret_values
from flowdbg.errors import UsageError

_TEXT = re.compile(r">([^<]+)<")
_SPACE = "&#160;"


def redacted(svg: str) -> str:
    """Return a picture without known secrets, and without texts shaped like one.

    What steps said stays: it is what the picture is of.
    """
    redactor = Redactor(secret_values(os.environ))

    def mark(match: re.Match[str]) -> str:
        said = match[1].replace(_SPACE, " ")
        kept = redactor.text(said)
        return match[0] if kept == said else f">{kept.replace(' ', _SPACE)}<"

    return _TEXT.sub(mark, svg)


def save_picture(svg: str, flow: str, folder: Path) -> Path:
    """Write a picture into a folder, readable by its owner alone; returns the new file.

    Raises:
        UsageError: It cannot be written there.
    """
    name = "".join(letter if letter.isalnum() or letter in "._-" else "-" for letter in flow)
    file = folder / f"flowdbg-{name[:40] or 'screen'}-{time.strftime('%Y%m%d-%H%M%S')}.svg"
    try:
        descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as stream:
            stream.write(redacted(svg))
    except OSError as error:
        raise UsageError(
            f"The picture cannot be written to {folder}: {error.strerror}.",
            "Start flowdbg in a folder of yours.",
        ) from error
    return file
