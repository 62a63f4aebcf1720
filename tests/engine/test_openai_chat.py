"""Providers: what goes out, how answers stream in, and what each failure is called."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from flowdbg.engine.definition import FlowDefinition
from flowdbg.engine.events import EntryCompleted, EntryFailed, EntryPaused, OutputChunk, Usage
from flowdbg.engine.models.output_schema import bounded_schema, is_strict
from flowdbg.engine.models.providers import (
    Price,
    Provider,
    load_providers,
    providers_from_environment,
)
from flowdbg.engine.runner import Runner
from flowdbg.engine.services import EngineSettings, Services
from flowdbg.errors import ConfigError
from tests.engine.flows import events_of, flow
from tests.engine.http_server import Answer, Handler, Request, Server, http_server

KEY = "sk-canary-0123456789"
SSE = "Content-Type: text/event-stream\r\n"


def chunk(**delta: Any) -> str:
    choice = {"index": 0, "delta": delta, "finish_reason": None}
    return f"data: {json.dumps({'id': 'x', 'choices': [choice]})}\n\n"


def ending(reason: str = "stop", **usage: Any) -> str:
    finish = {"id": "x", "choices": [{"index": 0, "delta": {}, "finish_reason": reason}]}
    told = {"prompt_tokens": 9, "completion_tokens": 4, "total_tokens": 13, **usage}
    last = {"id": "x", "choices": [], "usage": told}
    return f"data: {json.dumps(finish)}\n\ndata: {json.dumps(last)}\n\ndata: [DONE]\n\n"


async def say_hello(_request: Request, answer: Answer) -> None:
    await answer.send(chunk(role="assistant") + chunk(content="Hel"), headers=SSE, end=False)
    await answer.more(chunk(content="lo") + ending())


@asynccontextmanager
async def provided(
    handler: Handler, name: str = "openai", prices: Mapping[str, Price] | None = None
) -> AsyncIterator[tuple[Server, Services]]:
    """Services whose only provider is a server with this handler."""
    async with http_server(handler) as server:
        provider = Provider(name, f"{server.url}/v1", KEY, prices or {})
        settings = EngineSettings(cache_dir=Path("none"), providers=[provider], retry_delay=0.001)
        async with Services.create(settings) as services:
            yield server, services


def block(**fields: Any) -> FlowDefinition:
    step = {"id": "a", "kind": "llm", "prompt": "Say hello.", "model": "gpt-test", **fields}
    return flow(f"- {json.dumps(step)}")


async def last_of(services: Services, definition: FlowDefinition, **more: Any) -> Any:
    return (await events_of(services, definition, **more))[-1]


async def test_tokens_stream_in_and_usage_is_counted() -> None:
    async with provided(say_hello) as (_, services):
        events = await events_of(services, block())
    assert [event for event in events if isinstance(event, OutputChunk)] == [
        OutputChunk((), "Hel"),
        OutputChunk((), "lo"),
    ]
    last = events[-1]
    assert isinstance(last, EntryCompleted)
    assert last.output == {"text": "Hello"}
    assert (last.usage, last.model) == (Usage(9, 4, None), "gpt-test")


async def test_every_setting_of_the_block_goes_out() -> None:
    definition = block(
        system_prompt="Be kind.", temperature=0.5, top_p=0.9, max_tokens=7, seed=3, stop=["END"]
    )
    async with provided(say_hello) as (server, services):
        await last_of(services, definition)
    [request] = server.requests
    assert (request.method, request.path) == ("POST", "/v1/chat/completions")
    assert request.headers["authorization"] == f"Bearer {KEY}"
    assert request.json == {
        "model": "gpt-test",
        "messages": [
            {"role": "system", "content": "Be kind."},
            {"role": "user", "content": "Say hello."},
        ],
        "temperature": 0.5,
        "top_p": 0.9,
        "max_tokens": 7,
        "seed": 3,
        "stop": ["END"],
        "stream": True,
        "stream_options": {"include_usage": True},
    }


async def test_what_the_block_leaves_open_is_left_to_the_provider() -> None:
    async with provided(say_hello) as (server, services):
        await last_of(services, block())
    assert set(server.requests[0].json) == {"model", "messages", "stream", "stream_options"}


async def test_the_cost_is_the_providers_or_comes_from_the_prices() -> None:
    async def with_cost(_: Request, answer: Answer) -> None:
        await answer.send(chunk(content="x") + ending(cost=0.00015), headers=SSE)

    async with provided(with_cost, "openrouter") as (server, services):
        last = await last_of(services, block(model="anthropic/claude"))
    assert last.usage.cost_text == "0.00015"
    assert server.requests[0].json["usage"] == {"include": True}
    assert server.requests[0].json["model"] == "anthropic/claude"
    price = Price(prompt=Decimal("1.5"), completion=Decimal(6))
    async with provided(say_hello, prices={"gpt-test": price}) as (_, services):
        last = await last_of(services, block())
    assert last.usage.cost == Decimal("0.0000375")


MOOD = {
    "type": "object",
    "properties": {"mood": {"type": "string"}},
    "required": ["mood"],
    "additionalProperties": False,
}


async def test_a_schema_constrains_the_answer() -> None:
    async def answer_json(_: Request, answer: Answer) -> None:
        await answer.send(chunk(content='{"mood": "good"}') + ending(), headers=SSE)

    async with provided(answer_json) as (server, services):
        last = await last_of(services, block(output_schema=MOOD))
        loose = {key: value for key, value in MOOD.items() if key != "additionalProperties"}
        await last_of(services, block(output_schema=loose))
    assert last.output == {"mood": "good"}
    first, second = (request.json["response_format"]["json_schema"] for request in server.requests)
    assert first == {"name": "output", "schema": MOOD, "strict": True}
    assert second == {"name": "output", "schema": loose, "strict": False}


async def test_a_provider_without_schemas_gets_it_in_words_and_is_remembered() -> None:
    async def refuse_format(request: Request, answer: Answer) -> None:
        if "response_format" in request.json:
            error = {"error": {"message": "response_format is not supported"}}
            await answer.send(json.dumps(error), "400 Bad Request")
        else:
            await answer.send(chunk(content='{"mood": "ok"}') + ending(), headers=SSE)

    async with provided(refuse_format) as (server, services):
        for _ in range(2):
            last = await last_of(services, block(output_schema=MOOD))
            assert last.output == {"mood": "ok"}
    assert ["response_format" in request.json for request in server.requests] == [
        True, False, False,
    ]  # fmt: skip
    assert "JSON Schema" in server.requests[1].json["messages"][-1]["content"]


async def test_streamed_tool_calls_are_put_together() -> None:
    async def ask(_: Request, answer: Answer) -> None:
        head = {"index": 0, "id": "c1", "type": "function",
                "function": {"name": "weather", "arguments": ""}}  # fmt: skip
        parts = [{"index": 0, "function": {"arguments": text}} for text in ('{"ci', 'ty": "Oslo"}')]
        body = "".join(chunk(tool_calls=[part]) for part in (head, *parts))
        await answer.send(body + ending("tool_calls"), headers=SSE)

    tools = [{"type": "function", "function": {"name": "weather"}}]
    definition = block(processor_config={"tools_enabled": True})
    async with provided(ask) as (server, services):
        last = await last_of(services, definition, tools=tools, tool_choice="required")
    assert isinstance(last, EntryPaused)
    assert last.tool_calls == [
        {
            "id": "c1",
            "type": "function",
            "function": {"name": "weather", "arguments": '{"city": "Oslo"}'},
        }
    ]
    assert server.requests[0].json["tools"] == tools
    assert server.requests[0].json["tool_choice"] == "required"


async def test_tools_that_were_not_offered_are_a_failure_not_a_pause() -> None:
    async def ask(_: Request, answer: Answer) -> None:
        call = {"index": 0, "id": "c1", "function": {"name": "f", "arguments": "{}"}}
        await answer.send(chunk(tool_calls=[call]) + ending("tool_calls"), headers=SSE)

    async with provided(ask) as (_, services):
        last = await last_of(services, block())
    assert isinstance(last, EntryFailed)
    assert "none were offered" in last.error["message"]


async def test_closing_the_run_closes_the_connection() -> None:
    async def endless(_: Request, answer: Answer) -> None:
        await answer.send(chunk(content="x"), headers=SSE, end=False)
        await answer.gone()

    async with provided(endless) as (server, services):
        events = Runner(services).run_entry(block(), 0, outputs={}, initial={})
        async for event in events:
            if isinstance(event, OutputChunk):
                break
        await events.aclose()
        await server.broken.wait()


def _error(status: str, message: str) -> Handler:
    async def fail(_: Request, answer: Answer) -> None:
        await answer.send(json.dumps({"error": {"message": message, "code": "x"}}), status)

    return fail


@pytest.mark.parametrize(
    ("status", "code", "said"),
    [
        ("401 Unauthorized", "MODEL_KEY_REJECTED", "refuses the key (status 401)"),
        ("403 Forbidden", "MODEL_KEY_REJECTED", "refuses the key (status 403)"),
        ("404 Not Found", "MODEL_FAILED", "has no model `gpt-test`"),
        ("429 Too Many Requests", "MODEL_RATE_LIMITED", "too many requests"),
        ("400 Bad Request", "MODEL_FAILED", "refused the call (status 400)"),
        ("500 Oops", "MODEL_FAILED", "status 500"),
        ("302 Found", "MODEL_FAILED", "302"),
    ],
)
async def test_an_error_status_is_explained_without_the_key(
    status: str, code: str, said: str
) -> None:
    async with provided(_error(status, f"Bad {KEY} key.")) as (server, services):
        last = await last_of(services, block(retries=1))
    assert isinstance(last, EntryFailed)
    assert last.error["code"] == code
    assert said in last.error["message"]
    assert KEY not in str(last)
    # What cannot get better is not tried again, and nothing is sent twice behind our back.
    again = status[:3] in ("429", "500")
    assert len(server.requests) == 1 + again


async def test_a_redirect_is_not_followed() -> None:
    async def redirect(_: Request, answer: Answer) -> None:
        await answer.send(b"", "307 Temporary Redirect", "Location: /v1/elsewhere\r\n")

    async with provided(redirect) as (server, services):
        last = await last_of(services, block())
    assert isinstance(last, EntryFailed)
    assert len(server.requests) == 1


async def _cut(_: Request, answer: Answer) -> None:
    await answer.send(
        chunk(content="Hel"), headers=f"{SSE}Transfer-Encoding: chunked\r\n", end=False
    )


async def _reset(_: Request, answer: Answer) -> None:
    answer.reset()


async def _garbage(_: Request, answer: Answer) -> None:
    await answer.send("data: {broken\n\n", headers=SSE)


async def _error_event(_: Request, answer: Answer) -> None:
    error = {"error": {"message": "The engine is on fire", "code": 500}}
    await answer.send(chunk(content="Hel") + f"data: {json.dumps(error)}\n\n", headers=SSE)


@pytest.mark.parametrize("handler", [_cut, _reset, _garbage, _error_event])
async def test_a_broken_stream_fails_the_step(handler: Handler) -> None:
    async with provided(handler) as (_, services):
        last = await last_of(services, block())
    assert isinstance(last, EntryFailed)
    assert last.error["code"] == "MODEL_FAILED"
    assert last.error["message"]


async def test_a_provider_that_is_not_there_is_named() -> None:
    provider = Provider("openai", "http://127.0.0.1:9/v1", KEY)
    settings = EngineSettings(cache_dir=Path("none"), providers=[provider])
    async with Services.create(settings) as services:
        last = await last_of(services, block())
    assert isinstance(last, EntryFailed)
    assert "The provider `openai` cannot be reached" in last.error["message"]


@pytest.mark.parametrize(
    ("names", "model", "asked"),
    [
        (["openai"], "gpt-4o", ("openai", "gpt-4o")),
        (["openai"], "openai/gpt-4o", ("openai", "gpt-4o")),
        (["openrouter"], "openai/gpt-4o", ("openrouter", "openai/gpt-4o")),
        (["openai", "openrouter"], "anthropic/claude", ("openrouter", "anthropic/claude")),
        (["openai", "openrouter"], "openrouter/meta/llama", ("openrouter", "meta/llama")),
        (["openai", "openrouter"], "gpt-4o", ("openai", "gpt-4o")),
        (["openai"], "meta/llama", ("openai", "meta/llama")),
        (["groq", "openai"], "groq/llama", ("groq", "llama")),
    ],
)
async def test_a_model_id_finds_its_provider(
    names: list[str], model: str, asked: tuple[str, str]
) -> None:
    async with http_server(say_hello) as server:
        providers = [Provider(name, f"{server.url}/{name}", KEY) for name in names]
        settings = EngineSettings(cache_dir=Path("none"), providers=providers)
        async with Services.create(settings) as services:
            await last_of(services, block(model=model))
    [request] = server.requests
    assert (request.path, request.json["model"]) == (f"/{asked[0]}/chat/completions", asked[1])


def test_the_environment_describes_providers(tmp_path: Path) -> None:
    assert providers_from_environment({}) == []
    assert providers_from_environment({"OPENAI_API_KEY": "k"}) == [
        Provider("openai", "https://api.openai.com/v1", "k")
    ]
    local = providers_from_environment({"OPENAI_BASE_URL": "http://localhost:11434/v1"})
    assert local == [Provider("openai", "http://localhost:11434/v1", "")]
    [router] = providers_from_environment({"OPENROUTER_API_KEY": "k"})
    assert (router.name, router.base_url) == ("openrouter", "https://openrouter.ai/api/v1")
    file = tmp_path / "providers.yaml"
    file.write_text(
        "providers:\n  - {name: groq, base_url: 'https://api.groq.com/v1', api_key_env: GROQ_KEY,\n"
        "     prices: {llama: {prompt: 0.5, completion: '0.75'}}}\n  - {name: mine, base_url: 'http://x'}\n"
    )
    environment = {"FLOWDBG_PROVIDERS": str(file), "GROQ_KEY": "gk", "OPENAI_API_KEY": "k"}
    found = providers_from_environment(environment)
    assert [provider.name for provider in found] == ["groq", "mine", "openai"]
    assert found[0].api_key == "gk"
    assert found[0].prices["llama"].cost(1_000_000, 2_000_000) == Decimal("2.0")
    assert "gk" not in repr(found)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("providers: [{name: X, base_url: 'https://x'}]", "providers[0].name"),
        ("providers: [{name: x, base_url: 'ftp://x'}]", "providers[0].base_url"),
        ("providers: [{name: x, base_url: 'https://x', api_key: secret}]", "no field `api_key`"),
        ("providers: [{name: x, base_url: 'https://x', api_key_env: NO_KEY}]", "a key in NO_KEY"),
        ("providers: &a []", "anchor"),
        ("other: 1", "providers: is missing"),
        ("providers: [{name: local, base_url: 'https://x'}]", "the name of models of our own"),
        (
            "providers: [{name: x, base_url: 'https://x'}, {name: x, base_url: 'https://y'}]",
            "two providers are called `x`",
        ),
    ],
)
def test_a_wrong_providers_file_is_explained(tmp_path: Path, text: str, said: str) -> None:
    file = tmp_path / "providers.yaml"
    file.write_text(text)
    with pytest.raises(ConfigError) as caught:
        load_providers(file, {})
    assert said in str(caught.value)
    assert "secret" not in str(caught.value)


def test_a_missing_providers_file_is_explained(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot be read"):
        load_providers(tmp_path / "none.yaml", {})


def test_the_offline_models_schema_gets_bounds_and_keeps_its_own() -> None:
    schema = {
        "type": "object",
        "properties": {
            "type": {"type": "string"},
            "short": {"type": "string", "maxLength": 5},
            "kind": {"type": "string", "enum": ["string", "array"]},
            "tags": {"type": "array", "items": {"type": "string"}},
        },
    }
    assert bounded_schema(schema) == {
        "type": "object",
        "properties": {
            "type": {"type": "string", "maxLength": 300},
            "short": {"type": "string", "maxLength": 5},
            "kind": {"type": "string", "enum": ["string", "array"]},
            "tags": {
                "type": "array",
                "items": {"type": "string", "maxLength": 300},
                "maxItems": 12,
            },
        },
        "additionalProperties": False,
    }


def test_strict_means_every_member_required_and_none_unnamed() -> None:
    assert is_strict(MOOD)
    assert not is_strict({**MOOD, "required": []})
    assert not is_strict({"type": "object"})
    assert not is_strict({"type": "array", "items": {"type": "object", "properties": {"a": {}}}})
    assert is_strict({"type": "string"})
