"""Configured providers: OpenAI-compatible endpoints, from the environment or a YAML file.

providers:
- name: groq                       # the first part of a model id: groq/llama-3.3-70b
base_url: https://api.groq.com/openai/v1
api_key_env: GROQ_API_KEY        # the variable that holds the key; never the key itself
prices:                          # US dollars for a million tokens, for the cost
llama-3.3-70b: {prompt: 0.59, completion: 0.79}
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path

from pydantic import Field, ValidationError, field_validator, model_validator

from flowdbg.engine.nodes import Model
from flowdbg.engine.problems import problems_of
from flowdbg.engine.yaml_source import load_yaml
from flowdbg.errors import ConfigError, DefinitionError

OPENAI = "openai"
OPENROUTER = "openrouter"
PROVIDERS_FILE = "FLOWDBG_PROVIDERS"
"""The environment variable that names a providers file."""
_OPENAI_URL = "https://api.openai.com/v1"
_OPENROUTER_URL = "https://openrouter.ai/api/v1"
_MILLION = 1_000_000


class Price(Model):
    """US dollars for a million tokens."""

    prompt: Decimal = Field(ge=0)
    completion: Decimal = Field(ge=0)

    def cost(self, prompt: int, completion: int) -> Decimal:
        """US dollars for so many tokens."""
        return (self.prompt * prompt + self.completion * completion) / _MILLION


@dataclass(frozen=True, slots=True)
class Provider:
    """One OpenAI-compatible endpoint."""

    name: str
    base_url: str
    api_key: str = field(repr=False, default="")
    prices: Mapping[str, Price] = field(default_factory=dict)
    is_local: bool = False
    """The offline model: free, on loopback, without proxies."""


class _ProviderEntry(Model):
    name: str = Field(pattern=r"^[a-z0-9][a-z0-9_-]{0,31}$")
    base_url: str = Field(pattern=r"^https?://")
    api_key_env: str | None = Field(default=None, pattern=r"^[A-Z][A-Z0-9_]*$")
    prices: dict[str, Price] = Field(default_factory=dict)

    @field_validator("name")
    @classmethod
    def _is_free(cls, name: str) -> str:
        if name in ("local", "scripted"):
            raise ValueError(f"`{name}` is the name of models of our own; choose another one")
        return name


class _ProvidersFile(Model):
    providers: tuple[_ProviderEntry, ...]

    @model_validator(mode="after")
    def _differ(self) -> _ProvidersFile:
        names = [entry.name for entry in self.providers]
        if doubles := {name for name in names if names.count(name) > 1}:
            raise ValueError(f"two providers are called `{min(doubles)}`")
        return self


def providers_from_environment(environment: Mapping[str, str] = os.environ) -> list[Provider]:
    """The providers that the usual variables describe.

    `OPENAI_API_KEY` and `OPENAI_BASE_URL` (either is enough: many compatible servers want no
    key) make `openai`; `OPENROUTER_API_KEY` makes `openrouter`; `FLOWDBG_PROVIDERS` names a
    file with more of them.

    Raises:
        ConfigError: The file is wrong.
    """
    found: list[Provider] = []
    if path := environment.get(PROVIDERS_FILE):
        found += load_providers(Path(path), environment)
    key, url = environment.get("OPENAI_API_KEY"), environment.get("OPENAI_BASE_URL")
    if key or url:
        found.append(Provider(OPENAI, url or _OPENAI_URL, key or ""))
    if key := environment.get("OPENROUTER_API_KEY"):
        found.append(Provider(OPENROUTER, _OPENROUTER_URL, key))
    return found


def load_providers(path: Path, environment: Mapping[str, str] = os.environ) -> list[Provider]:
    """The providers of a file.

    Raises:
        ConfigError: It cannot be read or is wrong, or a key's variable is not set.
    """
    try:
        source = load_yaml(path)
        if source.problems:
            raise DefinitionError(source.problems)
        entries = _ProvidersFile.model_validate_json(source.as_json()).providers
    except DefinitionError as error:
        raise ConfigError(str(error)) from error
    except ValidationError as error:
        problems = problems_of(error, source, _ProvidersFile)
        raise ConfigError("\n".join(str(problem) for problem in problems)) from error
    return [
        Provider(entry.name, entry.base_url, _key(entry, path, environment), entry.prices)
        for entry in entries
    ]


def _key(entry: _ProviderEntry, path: Path, environment: Mapping[str, str]) -> str:
    if entry.api_key_env is None:
        return ""
    key = environment.get(entry.api_key_env)
    if not key:
        raise ConfigError(
            f"{path}: the provider `{entry.name}` needs a key in {entry.api_key_env}.",
            "Set the variable, or take the provider out of the file.",
        )
    return key
