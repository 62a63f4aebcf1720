"""Which version of a flow a whole run goes to, as people write it.

Unlike a stepping session, a whole run may go to the draft. None is production, 0 is the draft.
"""

from __future__ import annotations

import re
from typing import Final

from flowdbg.core.address import FlowAddress, parse_address
from flowdbg.errors import UsageError

DRAFT: Final = 0
"""The version number that addresses the draft."""

_NUMBER = re.compile(r"v?([0-9]{1,9})")


def parse_version(text: str) -> int | None:
    """Read `production`, `draft` or a number; nothing is production.

    Raises:
        UsageError: It is another word; nothing was sent.
    """
    if text in ("", "production"):
        return None
    if text == "draft":
        return DRAFT
    match = _NUMBER.fullmatch(text)
    if not match:
        raise UsageError(
            f"'{text}' is not a version.", "Use production, draft, or a number such as 3."
        )
    return int(match[1])


def parse_run_target(target: str, version: str) -> tuple[FlowAddress, int | None]:
    """Read `org/project/flow[@VERSION]` and the version that a flag names.

    Raises:
        UsageError: The address or the version has another shape, or both name a version.
    """
    address, at, pinned = target.partition("@")
    if at and version:
        raise UsageError(
            f"The version is named twice: '@{pinned}' and --version {version}.", "Give one of them."
        )
    return parse_address(address), parse_version(pinned or version)


def version_name(version: int | None) -> str:
    """How a version is called when it is shown."""
    if version is None:
        return "production"
    return "draft" if version == DRAFT else f"version {version}"
