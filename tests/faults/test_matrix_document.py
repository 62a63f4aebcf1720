"""The matrix in the documentation names tests that exist, and has every row."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
MATRIX = (ROOT / "docs" / "fault-matrix.md").read_text()
ROWS = {*range(1, 44), *range(48, 52)}


def test_every_row_is_there_once() -> None:
    rows = [int(number) for number in re.findall(r"^\| (\d+) \|", MATRIX, re.MULTILINE)]
    assert len(rows) == len(set(rows))
    assert set(rows) >= ROWS


def test_every_test_that_the_matrix_names_exists() -> None:
    files = dict(re.findall(r"`(\w+)` is\s+`(tests/[\w/.]+)`", MATRIX))
    named = re.findall(r"(\w+)::(test_\w+)", MATRIX)
    assert len(named) > 80
    for alias, test in named:
        assert f"def {test}(" in (ROOT / files[alias]).read_text(), f"{alias}::{test}"


def test_every_scenario_that_the_matrix_names_exists() -> None:
    scenarios = (ROOT / "tests" / "faults" / "scenarios.py").read_text()
    for number in re.findall(r"scenario (\d+)", MATRIX):
        assert f'"{number} ' in scenarios, f"scenario {number}"
