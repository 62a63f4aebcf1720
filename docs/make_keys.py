"""Write the key table of the README from the registry of actions: `python docs/make_keys.py`."""

from __future__ import annotations

from pathlib import Path

from flowdbg.tui.help_text import key_table
from flowdbg.tui.keymap import resolve

README = Path(__file__).parents[1] / "README.md"
BEGIN, END = "<!-- keys: written by docs/make_keys.py -->", "<!-- /keys -->"


def with_keys(text: str) -> str:
    """A README with its key table made anew."""
    before, _, rest = text.partition(BEGIN)
    _, _, after = rest.partition(END)
    return f"{before}{BEGIN}\n\n{key_table(resolve(None, 'default')).strip()}\n\n{END}{after}"


if __name__ == "__main__":
    README.write_text(with_keys(README.read_text(encoding="utf-8")), encoding="utf-8")
