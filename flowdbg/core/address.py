"""Addresses of flows and of versions, as people type them."""

from __future__ import annotations

import re
from dataclasses import dataclass

from flowdbg.errors import UsageError

_PART = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
_VERSION = re.compile(r"v?([0-9]{1,9})")


@dataclass(frozen=True, slots=True)
class FlowAddress:
    """`org/project/flow`, without a version."""

    org: str
    project: str
    flow: str

    def __str__(self) -> str:
        return f"{self.org}/{self.project}/{self.flow}"


def parse_address(text: str) -> FlowAddress:
    """Read `org/project/flow`.

    Raises:
        UsageError: The text has another shape.
    """
    parts = text.split("/")
    if len(parts) != 3 or not all(_PART.fullmatch(part) for part in parts):
        raise UsageError(
            f"'{text}' is not the address of a flow.",
            "Write org/project/flow, optionally with @VERSION, or the path of a flow file.",
        )
    return FlowAddress(*parts)


def parse_version(text: str) -> int | None:
    """Read what stands after `@`: a number pins, `production` or nothing does not.

    Raises:
        UsageError: The draft was asked for (protocol section 2.1), or the text is no version.
    """
    if text in ("", "production"):
        return None
    match = _VERSION.fullmatch(text)
    if text == "draft" or (match and int(match[1]) == 0):
        raise UsageError(
            f"'@{text}' is the draft, which cannot be stepped: it changes while it is edited.",
            "Publish it first (flowdbg publish FILE), or name the flow file itself.",
        )
    if not match:
        raise UsageError(
            f"'@{text}' is not a version.", "Use a number such as @3 or @v3, or @production."
        )
    return int(match[1])


def parse_target(text: str) -> tuple[FlowAddress, int | None]:
    """Read `org/project/flow[@VERSION]`.

    Raises:
        UsageError: The address or the version has another shape, or names the draft.
    """
    address, _, version = text.partition("@")
    return parse_address(address), parse_version(version)
