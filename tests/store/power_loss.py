"""A disk that forgets what was not synced, rebuilt from a trace of the kernel's calls.

The model is that of ext4: a sync makes the file's bytes durable and commits all earlier changes
of names; whatever was not synced may be there or not, each sector of 512 bytes by itself.
"""

from __future__ import annotations

import random
import re
from dataclasses import dataclass, field
from pathlib import Path

TRACED = "pwrite64,fdatasync,fsync,ftruncate,unlink,linkat,write,openat"
STRACE = ["strace", "-qq", "-y", "-xx", "-s", "1000000", "-e", f"trace={TRACED}"]

_SECTOR = 512
_CALL = re.compile(r"(\w+)\((.*)\) += (\d+)")
_HEX = re.compile(r"\\x([0-9a-f]{2})")


@dataclass
class _File:
    durable: bytearray = field(default_factory=bytearray)
    pending: list[tuple[int, bytes | None]] = field(default_factory=list)
    """Writes (offset, bytes) and truncations (size, None) since the last sync."""

    def sync(self) -> None:
        for offset, data in self.pending:
            _apply(self.durable, offset, data)
        self.pending.clear()

    def after_crash(self, chance: random.Random) -> bytes:
        content = bytearray(self.durable)
        for offset, data in self.pending:
            kept = chance.choice((0.0, 0.5, 1.0))
            if data is None:
                if chance.random() < kept:
                    _apply(content, offset, None)
                continue
            for start in range(0, len(data), _SECTOR):
                if chance.random() < kept:
                    _apply(content, offset + start, data[start : start + _SECTOR])
        return bytes(content)


class Disk:
    """The files of one directory, as they are and as a loss of power would leave them."""

    def __init__(self, directory: Path) -> None:
        self.said = ""
        """What the traced process wrote to its standard output."""
        self._directory = str(directory)
        self._names: dict[str, _File] = {}
        self._durable: dict[str, _File] = {}
        self._changes: list[tuple[str, _File | None]] = []

    def play(self, line: str) -> bool:
        """Do one line of the trace; True when it changed the disk or what was said."""
        match = _CALL.match(line)
        if match is None:
            return False
        call, arguments, result = match.groups()
        if call == "write":
            if not arguments.startswith("1<"):
                return False
            self.said += _unhex(arguments.split('"')[1]).decode()
            return True
        path = self._path(arguments)
        if path is None:
            return False
        self._change(call, path, arguments, int(result))
        return True

    def after_crash(self, chance: random.Random) -> dict[str, bytes]:
        """The names and contents that a loss of power at this moment may leave."""
        names = dict(self._durable)
        for name, file in self._changes[: chance.randint(0, len(self._changes))]:
            _rename(names, name, file)
        return {name: file.after_crash(chance) for name, file in names.items()}

    def _path(self, arguments: str) -> str | None:
        """The first path of a call that lies in the directory; None for others."""
        plain = [
            _unhex(text).decode("utf-8", "replace")
            for text in re.findall(r'[<"]([^>"]*)[>"]', arguments)
        ]
        for path in plain:
            if path == self._directory:
                return ""
            if path.startswith(f"{self._directory}/") and not path.endswith(("-shm", ".lock")):
                return path.removeprefix(f"{self._directory}/")
        return None

    def _change(self, call: str, name: str, arguments: str, result: int) -> None:
        match call:
            case "openat":
                if "O_CREAT" in arguments and name not in self._names:
                    self._name(name, _File())
            case "linkat":
                target = _unhex(arguments.split('"')[3]).decode()
                self._name(Path(target).name, self._names[name])
            case "unlink":
                self._name(name, None)
            case "pwrite64":
                _, data, tail = arguments.split('"')
                offset = int(tail.split(",")[2])
                self._names[name].pending.append((offset, _unhex(data)[:result]))
            case "ftruncate":
                self._names[name].pending.append((int(arguments.rsplit(",", 1)[1]), None))
            case "fsync" | "fdatasync":
                if name:
                    self._names[name].sync()
                for changed, file in self._changes:
                    _rename(self._durable, changed, file)
                self._changes.clear()

    def _name(self, name: str, file: _File | None) -> None:
        _rename(self._names, name, file)
        self._changes.append((name, file))


def _rename(names: dict[str, _File], name: str, file: _File | None) -> None:
    if file is None:
        names.pop(name, None)
    else:
        names[name] = file


def _apply(content: bytearray, offset: int, data: bytes | None) -> None:
    if len(content) < offset:
        content.extend(bytes(offset - len(content)))
    if data is None:
        del content[offset:]
    else:
        content[offset : offset + len(data)] = data


def _unhex(text: str) -> bytes:
    return bytes.fromhex("".join(_HEX.findall(text)))
