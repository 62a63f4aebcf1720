"""Flows that ship with flowdbg: the demo with its fault, and the smallest flow of all.

The files are beside this module; `docs/walkthrough.md` tells the way through the demo.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from flowdbg.present.tips import Tip

_FOLDER = Path(__file__).parent


def demo_path() -> Path:
    """The demo's flow file."""
    return _FOLDER / "demo.flow.yaml"


def demo_inputs_path() -> Path:
    """The demo's inputs: a JSON object of parameters."""
    return _FOLDER / "demo.inputs.json"


def hello_path() -> Path:
    """The smallest flow: a scripted model, so it needs neither key nor download."""
    return _FOLDER / "hello.flow.yaml"


def demo_tips() -> list[Tip]:
    """What the tips line of the demo says, the first tip whose conditions hold."""
    entries: list[dict[str, Any]] = json.loads((_FOLDER / "demo.tips.json").read_text("utf-8"))
    return [_tip(entry) for entry in entries]


def _tip(entry: dict[str, Any]) -> Tip:
    return Tip(
        text=entry["text"],
        state=entry.get("state", ""),
        done=tuple(entry.get("done", ())),
        missing=tuple(entry.get("missing", ())),
        edited=entry.get("edited"),
        selected=tuple(entry.get("selected", ())),
    )
