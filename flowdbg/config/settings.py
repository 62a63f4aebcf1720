"""A person's settings: a TOML file, environment variables over it, flags over both.

theme = "dark"
keymap = "vscode"            # or "default"
[keys]
"run.step" = ["n", "f10"]
[profiles.staging]
url = "https://flows.example/api/v1"
org = "acme"
project = "support"
key = "env:STAGING_KEY"      # or "keyring"; the key itself is never in the file
[limits]
idle = 300                   # seconds without a byte; without a limit unless named
progress = 900               # seconds without an event; the same
event_mib = 64               # the largest event
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from flowdbg.core.inputs import nearest
from flowdbg.errors import ConfigError


class Profile(BaseModel):
    """A named server: where it is, how it speaks, and where its key comes from."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    dialect: str = ""
    """The wire protocol it speaks; empty for the usual one."""
    url: str
    org: str = ""
    """Stands in where a target leaves the organisation out."""
    project: str = ""
    """Stands in where a target leaves the project out."""
    key: str = Field("env:NOUKAI_API_KEY", pattern=r"^(env:[A-Za-z_][A-Za-z0-9_]*|keyring)$")
    """`env:NAME` or `keyring`; never the key itself."""
    production: bool = False
    """Shown in red, and asks before the first changed step is sent."""


class Limits(BaseModel):
    """How long a step's server may be silent, and how much it may send at once."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    connect: float = Field(default=10.0, gt=0)
    """Seconds for a connection to come about."""
    idle: float | None = Field(default=None, gt=0)
    """Seconds without a byte, comments included; none waits until it is cancelled."""
    progress: float | None = Field(default=None, gt=0)
    """Seconds without an event; none waits until it is cancelled."""
    event_mib: int = Field(default=64, gt=0, le=1024)
    """Mebibytes of one event, decompressed."""


class Settings(BaseModel):
    """Everything that can be set; each field has a working default."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    theme: str = ""
    """A theme's name; empty follows the terminal."""
    ascii: bool = False
    """Draw with ASCII characters only."""
    clipboard: Literal["auto", "osc52", "native", "off"] = "auto"
    """How text is copied."""
    keymap: Literal["default", "vscode"] = "default"
    keys: dict[str, str | list[str]] = {}
    """Keys by the id of their action; they win over the keymap."""
    url: str = ""
    """The server when neither a flag nor a profile names one."""
    profile: str = ""
    """The profile when no flag names one."""
    profiles: dict[str, Profile] = {}
    limits: Limits = Limits()


_PARTS: dict[str, type[BaseModel]] = {"profiles": Profile, "limits": Limits}
_VARIABLES = ("theme", "ascii", "clipboard", "keymap", "url", "profile")
"""Settings that `FLOWDBG_<NAME>` overrides."""


@dataclass(frozen=True, slots=True)
class Loaded:
    """The settings, and where each that is not a default came from."""

    settings: Settings
    origins: Mapping[str, str]


def load_settings(
    file: Path, environ: Mapping[str, str], flags: Mapping[str, str | bool] | None = None
) -> Loaded:
    """Read the settings; a file that does not exist is an empty one.

    `flags` win over variables, and these over the file; an empty one counts as not given.

    Raises:
        ConfigError: The file or a variable is wrong; says which, and what was expected.
    """
    values: dict[str, Any] = {}
    origins: dict[str, str] = {}
    try:
        values = tomllib.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        pass
    except OSError as error:
        raise ConfigError(f"{file}: {error.strerror}.", "Check the path and its rights.") from error
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ConfigError(f"{file}: {error}.", "Correct the file, or move it away.") from error
    origins.update(dict.fromkeys(values, str(file)))
    for name in _VARIABLES:
        variable = f"FLOWDBG_{name.upper()}"
        if environ.get(variable):
            values[name] = environ[variable]
            origins[name] = f"${variable}"
    for name, value in (flags or {}).items():
        if value:
            values[name] = value
            origins[name] = f"--{name}"
    try:
        settings = Settings.model_validate(values)
    except ValidationError as error:
        raise _config_error(error, file, origins) from None
    return Loaded(settings, origins)


def find_profile(settings: Settings, name: str) -> Profile | None:
    """The profile named, else the default one; None when there is neither.

    Raises:
        ConfigError: There is no such profile.
    """
    wanted = name or settings.profile
    if not wanted:
        return None
    if wanted not in settings.profiles:
        hint = nearest(wanted, settings.profiles) or "Add one: flowdbg config add NAME --url URL."
        raise ConfigError(f"There is no profile '{wanted}'.", hint)
    return settings.profiles[wanted]


def _config_error(error: ValidationError, file: Path, origins: Mapping[str, str]) -> ConfigError:
    """The first thing wrong, with its place; the value is left out, it may be a secret."""
    first = error.errors(include_url=False, include_input=False, include_context=False)[0]
    place = [str(part) for part in first["loc"]]
    origin = origins.get(place[0], str(file)) if place else str(file)
    field = ".".join(place)
    if first["type"] == "extra_forbidden":
        known = _PARTS.get(place[0], Settings).model_fields
        return ConfigError(f"{origin}: unknown setting '{field}'.", nearest(place[-1], known))
    return ConfigError(f"{origin}: '{field}': {first['msg']}.", "Correct it and try again.")
