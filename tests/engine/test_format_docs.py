"""The page about the flow format: every example on it runs and gives what the page says."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel

from flowdbg.engine import http_access, nodes, problems
from flowdbg.engine.definition import FlowDefinition, InputField, parse_flow
from flowdbg.engine.inputs import flow_input
from flowdbg.engine.models.providers import load_providers
from flowdbg.engine.services import EngineSettings, Services
from flowdbg.engine.templates.filters import FILTERS
from flowdbg.expressions import SandboxLimits
from tests.engine.flows import run_all
from tests.engine.http_server import Answer, Request, http_server

PAGE = Path(__file__).parents[2] / "docs" / "flow-format.md"
TEXT = PAGE.read_text(encoding="utf-8")
BLOCK = re.compile(r"```(?P<kind>[a-z ]+)\n(?P<text>.*?)```", re.DOTALL)


@dataclass(frozen=True)
class Example:
    """A flow on the page, the inputs under it and the output under those."""

    text: str
    inputs: dict[str, Any]
    output: Any


def examples() -> dict[str, Example]:
    blocks = [(match["kind"], match["text"]) for match in BLOCK.finditer(TEXT)]
    found: dict[str, Example] = {}
    for (kind, text), (_, inputs), (_, output) in zip(blocks, blocks[1:], blocks[2:], strict=False):
        if kind == "yaml" and text.startswith("flow:"):
            name = text.splitlines()[0].rpartition("/")[2]
            found[name] = Example(text, json.loads(inputs), json.loads(output))
    return found


async def weather(request: Request, answer: Answer) -> None:
    asked = request.json
    body = {"weather": f"sunny in {asked['city']}"}
    assert request.headers["x-asked-by"] == "flowdbg"
    await answer.send(json.dumps(body), headers="Content-Type: application/json\r\n")


@pytest.mark.parametrize("name", examples())
async def test_an_example_runs_and_gives_what_the_page_says(services: Services, name: str) -> None:
    example = examples()[name]
    definition = parse_flow(example.text, name)
    async with http_server(weather) as server:
        inputs = {**example.inputs}
        if "service" in inputs:
            inputs["service"] = server.url
        initial = flow_input(definition, None, inputs)
        outputs = await run_all(services, definition, initial)
    assert outputs[definition.steps[-1].id] == example.output


def test_there_is_an_example_for_each_kind() -> None:
    kinds: set[str] = set()
    for example in examples().values():
        definition: FlowDefinition = parse_flow(example.text, "f")
        for step in definition.steps:
            kinds |= {node.kind for node in nodes.walk(step)}
    assert kinds == {*nodes.BLOCK_KINDS, *nodes.CONTAINER_KINDS}


def test_the_page_names_every_field() -> None:
    models: list[type[BaseModel]] = [FlowDefinition, InputField, *problems.NODE_MODELS.values()]
    fields = {name for model in models for name in model.model_fields}
    missing = sorted(name for name in fields if f"`{name}" not in TEXT)
    assert missing == []


def test_the_filters_the_page_names_exist() -> None:
    named = re.search(r"filters such as (.*?)\. A single", TEXT, re.DOTALL)
    assert named
    assert set(re.findall(r"`(\w+)`", named[1])) <= set(FILTERS)


def test_the_limits_on_the_page_are_the_real_ones() -> None:
    assert http_access.MAX_ANSWER == 2_000_000
    assert "an answer may have 2 MB" in TEXT
    sandbox = SandboxLimits()
    assert (sandbox.seconds, sandbox.memory_bytes) == (2, 64_000_000)
    assert "sandbox with 2 seconds, 64 MB" in TEXT
    settings = EngineSettings()
    assert (settings.llm_timeout, settings.http_timeout) == (300, 30)
    assert (settings.max_output_bytes, settings.max_entry_bytes) == (4_000_000, 16_000_000)


def test_the_providers_file_on_the_page_is_right(tmp_path: Path) -> None:
    text = next(m["text"] for m in BLOCK.finditer(TEXT) if m["text"].startswith("providers:"))
    file = tmp_path / "providers.yaml"
    file.write_text(text)
    [provider] = load_providers(file, {"GROQ_API_KEY": "k"})
    assert provider.name == "groq"


def test_every_error_code_is_on_the_page() -> None:
    folder = PAGE.parents[1] / "flowdbg" / "engine"
    source = "".join(path.read_text(encoding="utf-8") for path in folder.rglob("*.py"))
    raised = set(re.findall(r'(?:BlockFailed\(\s*|_check\(\s*|code=)"([A-Z_]+)"', source))
    assert raised
    assert {code for code in raised if f"`{code}`" not in TEXT} == set()
