"""The program in a pseudo-terminal: which bytes reach it, and who else may have it."""

from __future__ import annotations

import json
import re
import stat
from pathlib import Path

import pytest

from tests.e2e.terminal import Terminal

HOSTILE = (
    "\x1b[53mSGR\x1b]0;title\x07\x1b]52;c;aGFja2Vk\x07\x1b[2J\x1bP+q\x1b\\\x9b31m\x9d0;t\x9c"
    "\u202eRLO\u2066LRI\U000e0041\u200b [/nope] [@click=app.quit]x[/] [ERROR] [a-z] \x00\x7f"
)
"""Everything that a terminal or a markup parser would obey."""

ALLOWED = re.compile(
    r"\x1b\[[0-9;:]*m"  # colours and attributes
    r"|\x1b\[[0-9;]*H"  # cursor position
    r"|\x1b\[\?[0-9;]+[hl]"  # modes: alternate screen, mouse, paste, synchronised output
    r"|\x1b\[[<>=][0-9;]*u|\x1b\[\?u"  # kitty keyboard
    r"|\x1b\[\?[0-9]+\$p"  # questions about modes
    r"|\x1b\]22;[a-z-]*(?:\x1b\\|\x07)"  # shape of the mouse pointer
    r"|\x1b\[[0-9;]*[JK]"  # erasing when the program ends
)
FORBIDDEN = re.compile(
    "[\x00-\x07\x0b\x0c\x0e-\x1f\x7f-\x9f\u200b\u202a-\u202e\u2066-\u2069\U000e0000-\U000e007f]"
)
"""Characters that a terminal obeys or that reorder and hide their neighbours."""


def flow_file(folder: Path) -> Path:
    """A flow whose model, names and prompts are hostile."""
    text = json.dumps(HOSTILE)
    file = folder / "evil.flow.yaml"
    file.write_text(
        f"""\
flow: acme/evil/flow
inputs:
  message: {{type: string}}
scripts:
  evil:
    replies:
      - {{match: "data", text: {json.dumps(json.dumps({"k": HOSTILE, HOSTILE: [HOSTILE]}))}}}
      - {{match: "fail", text: {text}, fail: {{message: {text}}}}}
      - {{text: {text}}}
steps:
  - {{id: talk, name: Talk, kind: llm, model: scripted/evil, prompt: "Say it"}}
  - id: data
    name: Data
    kind: llm
    model: scripted/evil
    prompt: "data"
    output_schema: {{type: object}}
  - {{id: fail, name: Fail, kind: llm, model: scripted/evil, prompt: "fail"}}
""",
        encoding="utf-8",
    )
    return file


def escape(terminal: Terminal) -> None:
    """Press escape alone: with a key right behind it, it would be another key."""
    terminal.press("\x1b")
    terminal.read(0.4)


def leftovers(written: bytes) -> str:
    """What is left of the bytes without the sequences that the program itself may write."""
    text = written.decode("utf-8", "surrogateescape")
    return ALLOWED.sub("", text)


def colours(written: bytes) -> set[str]:
    """The colour parameters among all attributes that were set."""
    found = set()
    for sequence in re.findall(rb"\x1b\[([0-9;:]*)m", written):
        for number in sequence.decode().split(";"):
            if (number and 30 <= int(number) <= 48) or (number and 90 <= int(number) <= 107):
                found.add(number)
    return found - {"39", "49"}


def test_nothing_that_a_model_says_reaches_the_terminal_as_a_command(tmp_path: Path) -> None:
    with Terminal(
        "debug", str(flow_file(tmp_path)), "-m", HOSTILE.replace("\x00", ""), columns=120, rows=36
    ) as terminal:
        terminal.until("PAUSED")
        for said in ("before 2/3 Data", "before 3/3 Fail", "FAILED"):  # when the step is over
            terminal.press("n")
            terminal.until(said)
        assert "\\x1b[53mSGR" in terminal.text
        for keys in ("kkvvvvvi", "ji", "D5jjj\r3*jjyY:x", "?"):
            terminal.press(*keys)
            escape(terminal)
        terminal.press("3", "/", "S", "G", "R", "\r", "q")
        terminal.read(1)
    rest = leftovers(bytes(terminal.written))
    rest = re.sub(r"\x1b\]52;c;[A-Za-z0-9+/=]*\x07", "", rest)  # what was copied with y and Y
    assert b"\x1b[53m" not in terminal.written
    assert b"\x1b]52;c;aGFja2Vk" not in terminal.written
    assert "\x1b" not in rest
    assert FORBIDDEN.findall(rest) == []


@pytest.mark.parametrize(("value", "coloured"), [("1", False), ("", True)])
def test_no_color_means_no_colour_and_an_empty_one_means_nothing(
    tmp_path: Path, value: str, coloured: bool
) -> None:
    environment = {"NO_COLOR": value, "COLORTERM": "truecolor"}
    with Terminal(
        "debug", str(flow_file(tmp_path)), "-m", "hi", environment=environment
    ) as terminal:
        terminal.until("PAUSED")
        terminal.press("n")
        terminal.until("before 2/3 Data")
        terminal.press("o")
        terminal.until("Apply")
        escape(terminal)
        assert terminal.leave("q") == 0
    assert bool(colours(bytes(terminal.written))) is coloured


def test_the_external_editor_has_the_terminal_and_a_private_file(tmp_path: Path) -> None:
    notes = tmp_path / "notes"
    script = tmp_path / "editor.py"
    script.write_text(
        "import os, pathlib, sys\n"
        "file = pathlib.Path(sys.argv[1])\n"
        f"pathlib.Path({str(notes)!r}).write_text(f'{{os.stat(file).st_mode:o}} {{file}}')\n"
        "input('EDITOR HAS THE TERMINAL')\n"
        "file.write_text('From outside\\n')\n"
    )
    editor = {"EDITOR": f"python3 {script}"}
    with Terminal("debug", str(flow_file(tmp_path)), "-m", "hi", environment=editor) as terminal:
        terminal.until("PAUSED")
        terminal.press("n")
        terminal.until("before 2/3 Data")
        terminal.press("i", "\x05")
        terminal.until("EDITOR HAS THE TERMINAL")
        mode, _, path = notes.read_text().partition(" ")
        assert stat.S_IMODE(int(mode, 8)) == 0o600
        terminal.press("\r")
        terminal.until("From outside")
        assert not Path(path).exists()
        terminal.press("\x13")
        terminal.until("±1")
        assert terminal.leave("q") == 0


def test_the_pager_has_the_terminal(tmp_path: Path) -> None:
    pager = {"PAGER": "head -c 300"}
    with Terminal("debug", str(flow_file(tmp_path)), "-m", "hi", environment=pager) as terminal:
        terminal.until("PAUSED")
        terminal.press("2", "v", "v", "p")
        terminal.until(lambda _: b'"prompt": "Say it"' in terminal.written)
        terminal.until("PAUSED")
        assert terminal.leave("q") == 0
