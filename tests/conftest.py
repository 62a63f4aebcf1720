"""Every test runs in an empty home, without the developer's own settings, keys or proxies."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest
from httpx._config import DEFAULT_TIMEOUT_CONFIG
from hypothesis import HealthCheck, settings

# Five seconds by default, which a busy machine may take for a large body.
for limit in ("connect", "read", "write", "pool"):
    setattr(DEFAULT_TIMEOUT_CONFIG, limit, 60.0)

# What a script starts in the background ignores these, and so would every program under test.
for ignored, usual in (
    (signal.SIGINT, signal.default_int_handler),
    (signal.SIGHUP, signal.SIG_DFL),
    (signal.SIGQUIT, signal.SIG_DFL),
):
    if signal.getsignal(ignored) is signal.SIG_IGN:
        signal.signal(ignored, usual)

settings.register_profile(
    "ci", derandomize=True, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("ci")

_PREFIXES = ("FLOWDBG_", "NOUKAI_", "OPENAI_", "OPENROUTER_", "XDG_", "TEXTUAL")
_NAMES = {
    "COLUMNS", "LINES",  # a test's own terminal has its own size
    "NO_COLOR", "COLORTERM", "VISUAL", "EDITOR", "PAGER", "ALL_PROXY", "HTTP_PROXY", "HTTPS_PROXY",
    "NO_PROXY",
}  # fmt: skip


@pytest.fixture(autouse=True)
def empty_home(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A fresh home directory; nothing of the developer's environment leaks in."""
    home = tmp_path_factory.mktemp("home")
    for name in list(os.environ):
        if name.startswith(_PREFIXES) or name.upper() in _NAMES:
            monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("TEXTUAL_ANIMATIONS", "none")
    return home
