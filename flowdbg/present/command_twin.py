"""The headless command that does what a session would do next, for a script or a colleague."""

from __future__ import annotations

import shlex

from flowdbg.core.json_text import JsonText
from flowdbg.core.session import Session


def command_twin(session: Session) -> str:
    """Return the `flowdbg run` command with the session's flow, version, inputs and edits.

    It runs the flow from its start and carries no key.
    """
    words = ["flowdbg", "run", *_flow(session)]
    if session.message is not None:
        words += ["-m", session.message]
    parameters = session.parameters.value
    for name, value in parameters.items() if isinstance(parameters, dict) else ():
        words += ["-p", f"{name}={_written(value)}"]
    for step_id, output in session.output_edits.items():
        words += ["--override-output", f"{step_id}={output.text}"]
    for step_id in sorted(session.branch.skipped & session.output_edits.keys()):
        words += ["--skip", step_id]
    for step_id, fields in session.block_edits.items():
        for name, text in fields.items():
            words += ["--override-block", f"{step_id}.{name}={_field(text)}"]
    return shlex.join(words)


def _flow(session: Session) -> list[str]:
    """The flow file, whose server is started for it, or the address on its server."""
    if session.file:
        return [session.file]
    version = session.version
    address = session.address + (f"@{version}" if version is not None else "")
    return [address, "--url", session.url]


def _field(text: JsonText) -> str:
    """A field as `flowdbg run` takes it: text as it is, anything else as JSON."""
    return _written(text.value_or_text)


def _written(value: object) -> str:
    return value if isinstance(value, str) else JsonText.of(value).text
