"""`flowdbg config`: what is set, where it came from, and named servers."""

from __future__ import annotations

from typing import Annotated

import typer

from flowdbg.cli import completing, options

app = typer.Typer(
    help="Show settings and keep named servers.",
    rich_markup_mode=None,
    invoke_without_command=True,
)


@app.callback()
def _without_command(context: typer.Context) -> None:
    if context.invoked_subcommand is None:
        show()


@app.command()
def show(
    url: options.UrlOption = "",
    profile: options.ProfileOption = "",
    theme: options.ThemeOption = "",
    ascii_only: options.AsciiOption = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Show every setting and where it came from: the default, the file, a variable or a flag.

    Given the flags of another command, it shows what that command would go by.
    """
    import json
    import os

    from flowdbg.config import paths
    from flowdbg.config.settings import find_profile, load_settings

    file = paths.config_file()
    given: dict[str, str | bool] = {"url": url, "profile": profile, "theme": theme}
    loaded = load_settings(file, os.environ, {**given, "ascii": ascii_only})
    find_profile(loaded.settings, "")
    values = loaded.settings.model_dump(mode="json")
    if as_json:
        typer.echo(json.dumps({"file": str(file), "settings": values, "origins": loaded.origins}))
        return
    typer.echo(f"{file}{'' if file.exists() else ' (not there; all defaults)'}")
    for name, value in values.items():
        origin = loaded.origins.get(name, "default")
        typer.echo(f"{name:10} {json.dumps(value)}  ({origin})")


@app.command()
def path() -> None:
    """Show where the settings file is."""
    from flowdbg.config import paths

    typer.echo(str(paths.config_file()))


@app.command()
def add(
    name: str = typer.Argument(metavar="NAME", help="The profile's name."),
    url: str = typer.Option(..., "--url", help="The server's base URL."),
    org: str = typer.Option("", "--org", help="For targets that leave the organisation out."),
    project: str = typer.Option("", "--project", help="For targets that leave the project out."),
    key: str = typer.Option("env:NOUKAI_API_KEY", "--key", help="env:NAME or keyring."),
    production: bool = typer.Option(False, "--production", help="Mark it as production."),
) -> None:
    """Add a named server to the settings file; the rest of the file stays as it is."""
    import json
    import os
    import tomllib

    from flowdbg.cli.servers import server_url
    from flowdbg.config import paths
    from flowdbg.config.settings import load_settings
    from flowdbg.errors import ConfigError, UsageError

    file = paths.config_file()
    if not name.strip() or not name.isprintable():
        raise UsageError(f"'{name}' is no name for a server.", "Give it a word: staging.")
    if name in load_settings(file, os.environ).settings.profiles:
        raise UsageError(f"The profile '{name}' exists.", f"Change it in {file}.")
    values = {"url": server_url(url), "org": org, "project": project, "key": key}
    lines = [f"[profiles.{json.dumps(name, ensure_ascii=False)}]"]
    lines += [
        f"{field} = {json.dumps(value, ensure_ascii=False)}"
        for field, value in values.items()
        if value
    ]
    lines += ["production = true"] if production else []
    before = file.read_text(encoding="utf-8") if file.exists() else ""
    text = f"{before.rstrip()}\n\n" if before.strip() else ""
    text += "\n".join(lines) + "\n"
    tomllib.loads(text)
    draft = file.with_suffix(".new")
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        draft.write_text(text, encoding="utf-8")
        try:
            load_settings(draft, {})
        except ConfigError as error:
            draft.unlink()
            error.what = error.what.replace(str(draft), "The new profile")
            raise
        draft.replace(file)
    except OSError as error:
        raise ConfigError(
            f"{file} cannot be written: {error.strerror}.",
            "Check its folder, or set XDG_CONFIG_HOME to another one.",
        ) from error
    typer.echo(f"added {name} to {file}")


@app.command()
def key(
    name: Annotated[
        str,
        typer.Argument(
            metavar="NAME", help="The profile's name.", autocompletion=completing.profiles
        ),
    ],
) -> None:
    """Put a profile's key into the system's keyring; it is asked for and not shown.

    Without a terminal the key is the first line of the standard input.
    """
    import os
    import sys

    from flowdbg.config import paths
    from flowdbg.config.credentials import store_key
    from flowdbg.config.settings import find_profile, load_settings
    from flowdbg.errors import UsageError

    profile = find_profile(load_settings(paths.config_file(), os.environ).settings, name)
    if profile is not None and profile.key != "keyring":
        raise UsageError(
            f"The key of '{name}' is taken from {profile.key}, not from the keyring.",
            "Set it there, or write key = 'keyring' in the profile.",
        )
    asked = sys.stdin.isatty()
    given = typer.prompt(f"Key for {name}", hide_input=True) if asked else sys.stdin.readline()
    if not given.strip():
        raise UsageError(
            "No key was given.", f"Type it, or pipe it: flowdbg config key {name} < FILE"
        )
    store_key(name, given.strip())
    typer.echo(f"stored the key of {name} in the keyring")
