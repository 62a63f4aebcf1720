"""Expressions and code in the sandbox: what works, what is refused, and that the pool lives on."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flowdbg.errors import SandboxError
from flowdbg.expressions import Sandbox, SandboxLimits
from flowdbg.expressions.sandbox import MODULES


@pytest.fixture
async def sandbox() -> AsyncIterator[Sandbox]:
    made = Sandbox(SandboxLimits(seconds=0.3, memory_bytes=20_000_000))
    yield made
    await made.aclose()


async def test_an_expression_sees_the_names_it_reads(sandbox: Sandbox) -> None:
    names = {"order": {"total": 12.5, "items": ["a", "b"]}, "limit": 10, "not a name": 1}
    assert await sandbox.evaluate("order['total'] > limit", names) is True
    assert await sandbox.evaluate("[i.upper() for i in order['items']]", names) == ["A", "B"]
    assert await sandbox.evaluate("  limit  # a comment", names) == 10


async def test_code_returns_json_and_may_change_its_own_arguments(sandbox: Sandbox) -> None:
    arguments = {"text": "a b", "rest": [1]}
    body = (
        "text = text.split()\nrest.append(2)\nreturn {'words': text, 'rest': rest, 'pair': (1, 2)}"
    )
    result = await sandbox.run_function(body, arguments)
    assert result == {"words": ["a", "b"], "rest": [1, 2], "pair": [1, 2]}
    assert arguments == {"text": "a b", "rest": [1]}


async def test_code_without_a_return_gives_null(sandbox: Sandbox) -> None:
    assert await sandbox.run_function("x = 1", {}) is None


async def test_what_code_prints_is_handed_over_even_when_it_fails(sandbox: Sandbox) -> None:
    printed: list[str] = []
    with pytest.raises(SandboxError, match="ZeroDivisionError"):
        await sandbox.run_function("print('before')\nreturn 1 / 0", {}, on_print=printed.append)
    assert printed == ["before\n"]


async def test_an_error_names_the_line_of_the_persons_own_source(sandbox: Sandbox) -> None:
    with pytest.raises(
        SandboxError, match=r"NameError: name 'nope' is not defined \(line 3: return"
    ):
        await sandbox.run_function("a = 1\n\nreturn {'x': nope}", {})
    with pytest.raises(SandboxError, match=r"KeyError.*\(line 2: \+ b\['missing'\]"):
        await sandbox.evaluate("(1\n+ b['missing'])", {"b": {}})


ATTACKS = [
    ("while True:\n    pass", "longer than 0.3 seconds"),
    ("import time\nwhile True:\n    time.sleep(0.2)", "longer than 0.3 seconds"),
    ("return 'a' * 10**9", "20,000,000 bytes of memory"),
    ("return [0] * 10**8", "20,000,000 bytes of memory"),
    ("return 10 ** 10 ** 8", "20,000,000 bytes of memory"),
    ("return '%1000000000d' % 1", "20,000,000 bytes of memory"),
    ("x = []\nwhile True:\n    x.append('a' * 1000)", "20,000,000 bytes of memory|longer than"),
    ("def f(n):\n    return f(n + 1)\nreturn f(0)", "deeper than 300 levels"),
    ("x = {}\nfor i in range(5000):\n    x = {'a': x}\nreturn x", "deeper than 300 levels"),
    ("print('x' * 10**6)", "printed more than 100,000 bytes"),
    ("for i in range(10**6):\n    print('hello')", "printed more than|longer than"),
    ("return 'x' * 5_000_000", "larger than 4,000,000 bytes"),
    ("import subprocess", "No module named 'subprocess'"),
    ("import socket", "No module named 'socket'"),
    ("import os\nreturn os.listdir('/')", "no files, network or processes"),
    ("return open('/etc/passwd').read()", "no files, network or processes"),
    ("import os\nreturn os.environ['HOME']", "Error"),
    ("return __import__('os')", "__import__"),
    ("return (1).__class__.__mro__", "__class__"),
    ("return (lambda: 0).__globals__", "__globals__"),
    ("return [c for c in ().__class__.__base__.__subclasses__()]", "__class__"),
    ("return {1, 2}", "not JSON serializable"),
    ("return b'x'", "not JSON serializable"),
    ("return print", "not JSON serializable"),
    ("return float('nan')", "not JSON compliant"),
    ("x = []\nx.append(x)\nreturn x", "Circular"),
    ("class A:\n    pass\nreturn A()", "not JSON serializable"),
    ("return {", "does not parse"),
]


@pytest.mark.parametrize(("body", "words"), ATTACKS)
async def test_an_attack_is_a_clear_error_and_the_next_call_works(
    sandbox: Sandbox, body: str, words: str
) -> None:
    with pytest.raises(SandboxError, match=words):
        await sandbox.run_function(body, {})
    assert await sandbox.evaluate("1 + 1", {}) == 2


@pytest.mark.parametrize("module", MODULES)
async def test_a_module_that_is_named_can_be_imported(sandbox: Sandbox, module: str) -> None:
    assert await sandbox.run_function(f"import {module}\nreturn 'there'", {}) == "there"


@pytest.mark.parametrize(
    ("body", "value"),
    [
        ("import re\nm = re.search(r'(?P<n>\\d+)', 'a12')\nreturn int(m['n'])", 12),
        ("from datetime import date, timedelta\n"
         "return (date(2026, 1, 31) + timedelta(days=1)).isoformat()", "2026-02-01"),
        ("import json\nreturn json.loads(json.dumps({'a': [1, None]}))", {"a": [1, None]}),
        ("from collections import Counter\nreturn dict(Counter('aab'))", {"a": 2, "b": 1}),
        ("x = 3.14159\nreturn f'{x:.2f} {\"a\"!r:>5}'", "3.14   'a'"),
        ("return {k: [v for v in range(n)] for k, n in {'a': 2}.items()}", {"a": [0, 1]}),
        ("class Box:\n    def __init__(self, n):\n        self.n = n\n"
         "    def twice(self):\n        return self.n * 2\nreturn Box(4).twice()", 8),
        ("try:\n    return 1 / 0\nexcept ZeroDivisionError as error:\n    return str(error)",
         "division by zero"),
    ],
)  # fmt: skip
async def test_the_python_people_write_works(sandbox: Sandbox, body: str, value: Any) -> None:
    assert await sandbox.run_function(body, {}) == value


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ("import json\nimport pandas", r"'pandas' \(line 2: import pandas\). It can import .*json"),
        ("class A:\n    pass\nclass B(A):\n    pass",
         r"does not have class inheritance and metaclasses \(line 3: class B\(A\):\)"),
        ("x = {}\ndel x['a']", r"does not have the 'del' statement \(line 2"),
        ("def numbers():\n    yield 1", r"does not have yield expressions \(line 2: yield 1\)"),
        ("letter = {}\nreturn letter.text", r"\(line 2: .*\)\. A member .* read with \["),
        ("return {'done': true}", r"line 1: .*Python writes it True"),
        ("def half(n):\n    return n / 0\n\nreturn half(1)", r"line 2: return n / 0"),
        ("text = \'\'\'\none\n\'\'\'\nreturn int(text)", r"ValueError: .*line 4: return int"),
        ("assert 1 == 2, 'not equal'", r"AssertionError: not equal assert 1 == 2 \(line 1"),
        ("break", r"'break' outside loop \(line 1: break\)"),
    ],
)  # fmt: skip
async def test_what_does_not_work_is_named_with_its_line_and_what_to_do(
    sandbox: Sandbox, body: str, words: str
) -> None:
    with pytest.raises(SandboxError, match=words):
        await sandbox.run_function(body, {})


async def test_nothing_of_one_call_is_left_for_the_next(sandbox: Sandbox) -> None:
    await sandbox.run_function("global leaked\nleaked = 1\nreturn leaked", {})
    with pytest.raises(SandboxError, match="leaked"):
        await sandbox.evaluate("leaked", {})


async def test_a_worker_says_nothing_on_standard_error(
    sandbox: Sandbox, capfd: pytest.CaptureFixture[str]
) -> None:
    # An allocation that the worker cannot make: it says so itself and ends.
    with pytest.raises(SandboxError):
        await sandbox.run_function("x = 'x' * 19_000_000\nreturn x + x[:10]", {})
    assert capfd.readouterr().err == ""


async def test_cancelling_ends_a_running_call_at_once_and_frees_its_worker() -> None:
    sandbox = Sandbox(SandboxLimits(seconds=60), workers=1)
    assert await sandbox.evaluate("1", {}) == 1
    running = asyncio.create_task(sandbox.run_function("while True:\n    pass", {}))
    await asyncio.sleep(0)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    # The only worker would be busy for a minute if it had gone on.
    async with asyncio.timeout(60):
        assert await sandbox.evaluate("2", {}) == 2
    await sandbox.aclose()


async def test_more_calls_than_workers_wait_for_their_turn(sandbox: Sandbox) -> None:
    results = await asyncio.gather(*(sandbox.evaluate(f"{n} * 2", {}) for n in range(50)))
    assert results == [n * 2 for n in range(50)]


def test_a_closed_sandbox_starts_again_and_leaves_no_files(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))

    async def twice() -> list[int]:
        sandbox = Sandbox()
        results = []
        for number in (1, 2):
            results.append(await sandbox.evaluate(str(number), {}))
            await sandbox.aclose()
        return results

    assert asyncio.run(twice()) == [1, 2]
    assert list(tmp_path.iterdir()) == []


async def test_a_lone_surrogate_does_not_break_the_call(sandbox: Sandbox) -> None:
    assert await sandbox.evaluate("text", {"text": "a\ud800b"}) == "a\ufffdb"


texts = st.text(st.characters(exclude_categories=["Cs"]))
numbers = st.integers(-(2**53), 2**53) | st.floats(allow_nan=False, allow_infinity=False)
json_values = st.recursive(
    st.none() | st.booleans() | numbers | texts,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=4),
    max_leaves=12,
)


@given(st.lists(json_values, max_size=8))
def test_any_json_value_goes_in_and_comes_out_as_it_was(values: list[Any]) -> None:
    async def through() -> list[Any]:
        sandbox = Sandbox()
        try:
            return [await sandbox.evaluate("value", {"value": value}) for value in values]
        finally:
            await sandbox.aclose()

    assert asyncio.run(through()) == values


@pytest.mark.parametrize("change", ["_limit = 10**12", "len = lambda text: 0"])
async def test_code_cannot_raise_the_limit_of_its_own_result(change: str) -> None:
    sandbox = Sandbox()
    name = change.partition(" ")[0]
    try:
        with pytest.raises(SandboxError, match="larger than 4,000,000 bytes"):
            await sandbox.run_function(f"global {name}\n{change}\nreturn ['x' * 5_000_000]", {})
    finally:
        await sandbox.aclose()
