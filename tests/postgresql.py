"""A PostgreSQL server for the tests that need one, where PostgreSQL is installed."""

from __future__ import annotations

import contextlib
import itertools
import os
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest

_INSTALLED = sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)


def _program(name: str) -> str | None:
    return shutil.which(name, path=os.pathsep.join([os.environ["PATH"], *map(str, _INSTALLED)]))


def _account() -> str | None:
    """PostgreSQL refuses to run as root; its own account is used then."""
    return "postgres" if os.geteuid() == 0 else None


@contextlib.contextmanager
def postgresql() -> Iterator[Callable[[], str]]:
    """A server on a socket of its own; call the result for the URL of a fresh database."""
    initdb, postgres = _program("initdb"), _program("postgres")
    if initdb is None or postgres is None:
        pytest.skip("PostgreSQL is not installed")
    folder = Path(tempfile.mkdtemp(prefix="flowdbg-pg-"))
    account = _account()
    try:
        if account is not None:
            shutil.chown(folder, account)
        data = folder / "data"
        subprocess.run(
            [initdb, "-D", str(data), "-U", "flowdbg", "-A", "trust", "-E", "UTF8", "--no-sync"],
            user=account,
            cwd=folder,
            check=True,
            capture_output=True,
        )
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        process = subprocess.Popen(
            [postgres, "-D", str(data), "-k", str(folder), "-h", "", "-p", str(port), "-F"],
            user=account,
            cwd=folder,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            yield _fresh_databases(folder, port)
        finally:
            process.terminate()
            process.wait(30)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _fresh_databases(folder: Path, port: int) -> Callable[[], str]:
    admin = f"host={folder} port={port} user=flowdbg dbname=postgres"
    numbers = itertools.count(1)

    def fresh() -> str:
        name = f"test{next(numbers)}"
        with _when_ready(lambda: psycopg.connect(admin, autocommit=True)) as connection:
            connection.execute(f"CREATE DATABASE {name}".encode())
        return f"postgresql://flowdbg@/{name}?host={folder}&port={port}"

    return fresh


def _when_ready(connect: Callable[[], psycopg.Connection]) -> psycopg.Connection:
    end = time.monotonic() + 30
    while True:
        try:
            return connect()
        except psycopg.OperationalError:
            if time.monotonic() > end:
                raise
