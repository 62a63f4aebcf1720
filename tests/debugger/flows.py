"""The flow that the debugger's tests step through, and publishing over the wire."""

from __future__ import annotations

import json
import urllib.request
from pathlib import Path

ADDRESS = "acme/demo/letters"

FLOW = f"""\
flow: {ADDRESS}
inputs:
  message: {{type: string}}
scripts:
  talk:
    replies:
      - {{match: "again", text: "The second version of the summary."}}
      - {{match: "fails", fail: {{message: "the model is out of order"}}}}
      - {{match: "slowly", text: "one two three four five six", delay: 5}}
      - {{match: "steadily", text: "one two three four five six", delay: 0.3}}
      - {{match: "silently", text: "never said", first_delay: 60}}
      - {{text: "A summary in five words."}}
steps:
  - {{id: take, kind: passthrough}}
  - {{id: summarise, kind: llm, model: scripted/talk, prompt: "Summarise {{{{ message }}}}"}}
  - {{id: count, kind: code, input_schema: {{type: object}}, code: "return {{'words': 5}}"}}
"""


def write_flow(folder: Path, text: str = FLOW, name: str = "letters") -> Path:
    """Write a flow file."""
    path = folder / f"{name}.flow.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def publish(base: str, text: str = FLOW, *, address: str = ADDRESS, production: bool = True) -> int:
    """Freeze the next version of a flow; its number."""
    body = json.dumps({"definition": text, "production": production, "reuse": False})
    request = urllib.request.Request(
        f"{base}/flows/{address}/versions",
        body.encode(),
        {"Content-Type": "application/json"},
        method="POST",
    )
    with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request) as answer:
        version: int = json.load(answer)["version"]
    return version
