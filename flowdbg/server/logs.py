"""The server's log: one line for each thing that happened, as text or as JSON, on stderr.

Only names, numbers and ids are logged; bodies, headers, keys and query strings never are.
"""

from __future__ import annotations

import json
import logging
import time
from typing import Any, Literal

from flowdbg.errors import UsageError

LogFormat = Literal["text", "json"]

_STANDARD = frozenset(logging.makeLogRecord({}).__dict__) | {"message", "asctime", "taskName"}


def read_format(name: str) -> LogFormat:
    """Read a `--log-format` value.

    Raises:
        UsageError: It is neither `text` nor `json`.
    """
    if name == "json":
        return "json"
    if name == "text":
        return "text"
    raise UsageError(f"There is no log format {name!r}.", "Use text or json.")


def set_up_logging(form: LogFormat, level: int = logging.INFO) -> None:
    """Send the server's log to stderr in the given format, with what its libraries report."""
    handler = logging.StreamHandler()
    handler.setFormatter(JsonLines() if form == "json" else TextLines())
    libraries = (("uvicorn", logging.WARNING), ("asyncio", logging.ERROR), ("dbos", logging.ERROR))
    for name, lowest in (("flowdbg", level), *libraries):
        logger = logging.getLogger(name)
        logger.handlers = [handler]
        logger.setLevel(lowest)
        logger.propagate = False


class JsonLines(logging.Formatter):
    """One JSON object for each entry."""

    def format(self, record: logging.LogRecord) -> str:
        """Write an entry: time, level, event, and what else it carries."""
        entry: dict[str, Any] = {
            "time": _time(record.created),
            "level": record.levelname.lower(),
            "event": record.getMessage(),
            **_fields(record),
        }
        if record.exc_info:
            entry["traceback"] = self.formatException(record.exc_info)
        return json.dumps(entry, default=str)


class TextLines(logging.Formatter):
    """One line for each entry, for people."""

    def format(self, record: logging.LogRecord) -> str:
        """Write an entry: time, level when it is more than information, event, fields."""
        level = "" if record.levelno <= logging.INFO else f"{record.levelname.lower()}: "
        fields = "".join(f" {name}={_plain(value)}" for name, value in _fields(record).items())
        text = f"{_time(record.created)} {level}{record.getMessage()}{fields}"
        if record.exc_info:
            text += "\n" + self.formatException(record.exc_info)
        return text


def _fields(record: logging.LogRecord) -> dict[str, Any]:
    return {name: value for name, value in record.__dict__.items() if name not in _STANDARD}


def _plain(value: Any) -> str:
    """A value on one line, with nothing in it that a terminal would obey."""
    text = value if isinstance(value, str) else json.dumps(value, default=str)
    return text if text.isprintable() and " " not in text else json.dumps(text)


def _time(seconds: float) -> str:
    stamp = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(seconds))
    return f"{stamp}.{int(seconds % 1 * 1000):03d}Z"
