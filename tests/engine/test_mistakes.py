"""Flow files with the mistakes people make: all of them are said at once, each at its line.

The files are in `mistakes/`. What is said stands behind `#!` in the line that it is said about,
two things with ` & ` between.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.engine.flows import problems

FILES = sorted(Path(__file__).parent.glob("mistakes/*.flow.yaml"))
MARK = re.compile(r"#! (.*)")


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name.partition(".")[0])
def test_every_mistake_of_a_file_is_said_at_its_line(file: Path) -> None:
    text = file.read_text(encoding="utf-8")
    expected = [
        (number, part)
        for number, line in enumerate(text.splitlines(), start=1)
        if (mark := MARK.search(line))
        for part in mark[1].strip().split(" & ")
    ]
    said = problems(text)
    told = [int(line.partition(":")[0]) for line in said]
    assert told == [line for line, _ in expected], said
    for line, (_, part) in zip(said, expected, strict=True):
        assert part in line


@pytest.mark.parametrize(
    ("steps", "said"),
    [
        ("  - id: a\n   kind: x", "Indent what belongs together alike"),
        ("  - id: a\n    kind passthrough\n    name: x", "Write `name: value`"),
        ("\t- id: a", "Indent with spaces, not with tabs."),
        ("  - prompt: Say: hello", "Put a text that holds `: ` into quotes"),
        ("  - prompt: @message", "Put the text into quotes."),
        ("  - prompt: 'It's me'", "needs other quotes around"),
        ("  - prompt: 'open\n", "Close the quotes."),
        ("  - prompt: {{ message }}", "A text that begins with `{` or `[` needs quotes."),
        ("  - [a, b", "Close what is open"),
    ],
)
def test_what_is_not_yaml_is_said_with_what_to_do(steps: str, said: str) -> None:
    [problem] = problems(f"flow: a/b/c\nsteps:\n{steps}\n")
    assert said in problem
