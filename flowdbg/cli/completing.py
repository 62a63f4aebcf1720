"""What the shell offers at TAB: names that this machine knows; nothing is asked of a server.

It must be quick and quiet: nothing heavy is imported, and what cannot be read offers nothing.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

_MOST_SESSIONS = 50
"""Sessions that are looked into for the flows they ran."""
_MOST_FILES = 200
"""Flow files offered of one folder."""
_SESSION = ".flowdbg"
"""How a session's file ends; to ask the store would take longer than to look."""
THEMES = ("dark", "light", "high-contrast", "colour-blind", "ansi")


def targets(incomplete: str) -> list[str]:
    """Flows of recent sessions, and flow files; versions once the flow itself is written."""
    return [*flows(incomplete), *flow_files(incomplete)]


def flows(incomplete: str) -> list[str]:
    """Addresses of recent sessions, with their versions once the address is written."""
    seen = [
        (str(meta.get("address", "")), meta.get("version"))
        for meta in _recent()
        if not meta.get("flow_file")
    ]
    addresses = _beginning((address for address, _ in seen), incomplete)
    versions = sorted({f"{address}@{version}" for address, version in seen if version is not None})
    if len(addresses) > 1 or not versions:
        return addresses
    return [*addresses, *_beginning(versions, incomplete)]


def flow_files(incomplete: str) -> list[str]:
    """Flow files beside what is written, and the folders on the way to others."""
    folder, slash, begun = incomplete.rpartition("/")
    prefix = folder + slash
    found = []
    try:
        for path in sorted((Path(prefix) if prefix else Path()).iterdir())[:_MOST_FILES]:
            if path.name.startswith(begun or ".") != bool(begun):
                continue
            if path.name.endswith((".flow.yaml", ".flow.yml")):
                found.append(prefix + path.name)
            elif path.is_dir() and any(path.glob("*.flow.y*ml")):
                found.append(f"{prefix}{path.name}/")
    except OSError:
        return []
    return found


def sessions(incomplete: str) -> list[str]:
    """Ids of stored sessions, newest first."""
    from flowdbg.config import paths

    try:
        files = [path.name for path in paths.sessions_dir().iterdir()]
    except OSError:
        return []
    names = [name.removesuffix(_SESSION) for name in files if name.endswith(_SESSION)]
    return _beginning(sorted(names, reverse=True), incomplete)


def waiting_runs(incomplete: str) -> list[str]:
    """Runs that wait for tool results here."""
    from flowdbg.config import paths

    names = [path.stem for path in (paths.data_dir() / "waiting").glob("*.json")]
    return _beginning(sorted(names), incomplete)


def profiles(incomplete: str) -> list[str]:
    """Named servers of the settings file."""
    import tomllib

    from flowdbg.config import paths

    try:
        settings = tomllib.loads(paths.config_file().read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return []
    named = settings.get("profiles")
    return _beginning(named, incomplete) if isinstance(named, dict) else []


def themes(incomplete: str) -> list[str]:
    """The themes that are offered first."""
    return _beginning(THEMES, incomplete)


def _recent() -> list[dict[str, object]]:
    from flowdbg.config import paths
    from flowdbg.store import list_sessions

    return [dict(one.meta) for one in list_sessions(paths.sessions_dir(), _MOST_SESSIONS)]


def _beginning(names: Iterable[str], incomplete: str) -> list[str]:
    """The names that begin so, each once, in their order; none that a shell could not take."""
    usable = (name for name in names if name.isprintable() and not set(name) & set(" \"'\\$`"))
    return [name for name in dict.fromkeys(usable) if name and name.startswith(incomplete)]
