"""The drafts: flow files on disk, read when they are asked for and whenever they changed.

A file is parsed again when its time, size or inode changed; folders are listed each time. A
broken file keeps its address as long as its `flow:` line can be read, so that asking for the draft
tells what is wrong instead of "not found".
"""

from __future__ import annotations

import fnmatch
import logging
import os
import re
import stat
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from flowdbg.dialects.services import Address
from flowdbg.engine.definition import FlowDefinition, load_flow
from flowdbg.errors import DefinitionError, Problem

logger = logging.getLogger("flowdbg.server")

PATTERN = "*.flow.yaml"
_ADDRESS_LINE = re.compile(rb"^flow:[ \t]*[\"']?([^\s\"'#]+)", re.MULTILINE)
_FOREIGN_FOLDERS = {"node_modules", "__pycache__", "site-packages"}
_Stamp = tuple[int, int, int]


@dataclass(frozen=True, slots=True)
class Draft:
    """One flow file as it stands: its definition, or what is wrong with it."""

    path: Path
    address: Address | None
    """None when the file is so broken that it does not say where it belongs."""
    definition: FlowDefinition | None
    problems: tuple[Problem, ...]
    stamp: _Stamp
    """The file as it was when it was read."""


class Drafts:
    """The flow files under some paths."""

    def __init__(self, paths: Sequence[Path]) -> None:
        self._paths = [path.absolute() for path in paths]
        self._known: dict[Path, Draft] = {}
        self.current: list[Draft] = []
        """Every flow file, as of the last scan."""

    def scan(self) -> list[Draft]:
        """Every flow file, read again where it changed; changes and defects are logged."""
        found: dict[Path, Draft] = {}
        for path in self._files():
            stamp = _stamp(path)
            if stamp is None:
                continue
            known = self._known.get(path)
            if known is None or known.stamp != stamp:
                known = _read(path, stamp)
            found[path] = known
        self._known = found
        before, self.current = self.current, _without_doubles(list(found.values()))
        _report(before, self.current)
        return self.current

    def peek(self, address: Address) -> Draft | None:
        """The draft at an address if its file has not changed since the last scan; quick.

        May be called while another thread scans.
        """
        for draft in self.current:
            if draft.address == address:
                return draft if _stamp(draft.path) == draft.stamp else None
        return None

    def _files(self) -> list[Path]:
        files: dict[Path, None] = {}
        for path in self._paths:
            if path.is_dir():
                files.update(dict.fromkeys(_flow_files(path)))
            else:
                files[path] = None
        return list(files)


def _flow_files(folder: Path) -> list[Path]:
    """The flow files below a folder, without what packages and tools keep in their own."""
    found: list[Path] = []
    for parent, folders, names in os.walk(folder):
        folders[:] = sorted(
            name for name in folders if not name.startswith(".") and name not in _FOREIGN_FOLDERS
        )
        found += [Path(parent, name) for name in sorted(fnmatch.filter(names, PATTERN))]
    return found


def _stamp(path: Path) -> _Stamp | None:
    try:
        status = path.stat()
    except OSError:
        return None
    if not stat.S_ISREG(status.st_mode):
        return None  # to open a pipe could take for ever
    return status.st_mtime_ns, status.st_size, status.st_ino


def _read(path: Path, stamp: _Stamp) -> Draft:
    try:
        definition = load_flow(path)
    except DefinitionError as error:
        return Draft(path, _claimed_address(path), None, error.problems, stamp)
    address = Address(definition.org, definition.project, definition.slug)
    return Draft(path, address, definition, (), stamp)


def _claimed_address(path: Path) -> Address | None:
    try:
        with path.open("rb") as stream:
            match = _ADDRESS_LINE.search(stream.read(100_000))
    except OSError:
        return None
    parts = match[1].decode("utf-8", "replace").split("/") if match else []
    return Address(*parts) if len(parts) == 3 and all(parts) else None


def _without_doubles(drafts: list[Draft]) -> list[Draft]:
    """Let the first file have an address that several claim; the others become broken."""
    owners: dict[Address, Draft] = {}
    kept: list[Draft] = []
    for draft in drafts:
        owner = owners.setdefault(draft.address, draft) if draft.address else draft
        if owner is draft:
            kept.append(draft)
            continue
        message = f"the address is taken by {owner.path}. Give this flow another one."
        problem = Problem(str(draft.path), 0, "flow", message)
        kept.append(replace(draft, address=None, definition=None, problems=(problem,)))
    return kept


def _report(before: Sequence[Draft], now: Sequence[Draft]) -> None:
    """Log what is broken, and what is otherwise than at the last scan."""
    known = {draft.path: draft for draft in before}
    for draft in now:
        old = known.pop(draft.path, None)
        if old is not None and (old.stamp, old.problems) == (draft.stamp, draft.problems):
            continue
        file = str(draft.path)
        for problem in draft.problems:
            told = {"file": file, "problem": str(problem)}
            logger.warning("flow file is broken", extra=told)
        if before and not draft.problems:
            what = "added" if old is None else "changed"
            logger.info("flow file %s", what, extra={"file": file})
    for path in known:
        logger.info("flow file removed", extra={"file": str(path)})
