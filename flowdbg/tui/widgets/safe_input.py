"""One line to type in; what is pasted or put in cannot reach the terminal as control characters."""

from __future__ import annotations

from textual.widgets import Input

from flowdbg.present.safe_text import safe_line


class SafeInput(Input):
    """An input whose value is always safe to draw."""

    def validate_value(self, value: str) -> str:
        """Show control characters as escapes."""
        return safe_line(value)
