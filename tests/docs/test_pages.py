"""The pages tell the truth: the commands, options, files, settings and links they name exist."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer.main
from pydantic import BaseModel

from flowdbg.cli.commands import app
from flowdbg.config.settings import Limits, Profile, Settings, load_settings
from flowdbg.dialects.noukai import wire
from flowdbg.dialects.noukai.codes import CODES
from flowdbg.engine.definition import parse_flow
from flowdbg.headless.exit_codes import ExitCode
from flowdbg.tui.keymap import resolve
from flowdbg.tui.themes import SHORT

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", ROOT / "CHANGELOG.md", *sorted(ROOT.glob("docs/**/*.md"))]
FENCED = re.compile(r"^```[^\n]*\n(.*?)^```", re.DOTALL | re.MULTILINE)


def text_of(page: Path) -> str:
    return page.read_text(encoding="utf-8")


def words_of(line: str) -> list[str]:
    """A command line without its comment, its explanation, and what it is piped into."""
    words = shlex.split(re.split(r" {3,}", line)[0])
    ends = (place for place, word in enumerate(words) if word in ("|", "#"))
    return words[: next(ends, None)]


def commands() -> Iterator[tuple[str, list[str]]]:
    """Every line of an example that starts flowdbg, by its page."""
    for page in PAGES:
        for block in FENCED.findall(text_of(page)):
            joined = re.sub(r"='[^']*'", lambda quoted: " ".join(quoted[0].split()), block)
            for line in joined.splitlines():
                if line.startswith("flowdbg "):
                    yield page.name, words_of(line)


def of_app(words: list[str]) -> Any:
    """The command that these words start."""
    command: Any = typer.main.get_command(app)
    for word in words[1:]:
        if not hasattr(command, "commands"):
            break
        assert word in command.commands, f"there is no command {word!r}"
        command = command.commands[word]
    return command


def options_of(command: Any) -> set[str]:
    return {name for option in command.params for name in (*option.opts, *option.secondary_opts)}


@pytest.mark.parametrize(("page", "words"), commands())
def test_a_command_in_an_example_exists_with_its_options(page: str, words: list[str]) -> None:
    known = options_of(of_app(words))
    given = {word.partition("=")[0] for word in words if word.startswith("-")}
    assert given <= known, page


def test_the_options_of_the_server_are_all_on_its_page() -> None:
    command = of_app(["flowdbg", "serve"])
    shown = [option for option in command.params if not getattr(option, "hidden", False)]
    options = {name for option in shown for name in option.opts if name.startswith("--")}
    rows = re.findall(r"^\| (`-.*?) \|", text_of(ROOT / "docs" / "server.md"), re.MULTILINE)
    assert {name for row in rows for name in re.findall(r"--[\w-]+", row)} == options - {"--help"}


def test_the_exit_codes_of_the_readme_are_those_of_the_program() -> None:
    rows = re.findall(r"^\| (\d+) \|", text_of(ROOT / "README.md"), re.MULTILINE)
    assert [int(code) for code in rows] == sorted(ExitCode)


def test_the_settings_on_their_page_are_right_and_complete() -> None:
    page = ROOT / "docs" / "settings.md"
    example = FENCED.findall(text_of(page))[0]
    models: list[type[BaseModel]] = [Settings, Profile, Limits]
    fields = {name for model in models for name in model.model_fields}
    assert {name for name in fields if not re.search(rf"\b{name}\b", example)} == set()
    for theme in SHORT.keys() - {"color-blind"}:
        assert theme in example


def test_the_example_of_settings_can_be_used(tmp_path: Path) -> None:
    file = tmp_path / "config.toml"
    file.write_text(FENCED.findall(text_of(ROOT / "docs" / "settings.md"))[0], encoding="utf-8")
    settings = load_settings(file, {}).settings
    assert settings.profiles["staging"].production
    keys = resolve(settings.keys, settings.keymap)
    assert keys["run.step"] == ("n", "f10")
    assert keys["view.pager"] == ()


def test_every_variable_that_the_program_reads_is_on_the_page_of_settings() -> None:
    source = "".join(map(text_of, (ROOT / "flowdbg").rglob("*.py")))
    read = set(re.findall(r"\b(?:FLOWDBG|NOUKAI|OPENAI|OPENROUTER)_[A-Z][A-Z_]*\b", source))
    page = text_of(ROOT / "docs" / "settings.md")
    assert {name for name in read if f"`{name}`" not in page} == set()


def test_the_scripted_replies_on_the_page_of_the_format_are_right() -> None:
    blocks = FENCED.findall(text_of(ROOT / "docs" / "flow-format.md"))
    [scripts] = [block for block in blocks if block.startswith("scripts:")]
    definition = parse_flow(f"flow: a/b/c\nsteps: [{{id: a, kind: passthrough}}]\n{scripts}", "f")
    replies = [reply for script in definition.scripts.values() for reply in script.replies]
    assert any(reply.fail for reply in replies)
    assert any(reply.tool_calls for reply in replies)


def test_the_codes_and_events_of_the_dialect_are_on_its_page() -> None:
    pages = [ROOT / "docs" / "protocols" / "noukai.md", ROOT / "docs" / "server.md"]
    told = "".join(map(text_of, pages))
    named = {value for name, value in vars(wire).items() if name == str(value).upper()}
    assert "step_paused" in named
    assert {name for name in {*named, *CODES} if f"`{name}`" not in told} == set()


def test_a_section_that_a_docstring_names_is_on_the_page_of_the_protocol() -> None:
    page = text_of(ROOT / "docs" / "protocols" / "noukai.md")
    there = set(re.findall(r"^## (\d+)\. ", page, re.MULTILINE)) | set(
        re.findall(r"\*\*(?:[\d.]+, )?(\d+\.\d+)", page)
    )
    source = "".join(map(text_of, (ROOT / "flowdbg").rglob("*.py")))
    named = set(re.findall(r"\bsections? (\d+(?:\.\d+)?)", source))
    points = {name for name in named if name.partition(".")[0] in ("12", "17", "18")}
    assert named - points - there == set()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_a_file_that_a_page_names_exists(page: Path) -> None:
    named = re.findall(r"`((?:[\w-]+/)+(?:[\w.-]+\.(?:py|md|svg|json))?)`", text_of(page))
    folders = (ROOT, ROOT / "flowdbg")
    ours = [path for path in named if any((top / path.split("/")[0]).exists() for top in folders)]
    missing = [path for path in ours if not any((top / path).exists() for top in folders)]
    assert missing == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_a_link_leads_to_a_file_and_a_heading(page: Path) -> None:
    links = re.findall(r"\]\(([^)\s]+)\)", text_of(page))
    lost = [link for link in links if "://" not in link and not leads_somewhere(page, link)]
    assert lost == []


def leads_somewhere(page: Path, link: str) -> bool:
    path, _, anchor = link.partition("#")
    target = page.parent / path if path else page
    if not target.exists():
        return False
    headings = re.findall(r"^#+ (.*)$", text_of(target), re.MULTILINE) if anchor else [""]
    return anchor in {re.sub(r"[^\w -]", "", line.lower()).replace(" ", "-") for line in headings}
