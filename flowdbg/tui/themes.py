"""Themes: dark, light, high contrast and colour-blind of our own, and the terminal's colours.

States never differ by colour alone, so a theme may change everything here.
"""

from __future__ import annotations

import os

from textual.theme import BUILTIN_THEMES, Theme

from flowdbg.errors import ConfigError
from flowdbg.present.suggest import did_you_mean

OURS: tuple[Theme, ...] = (
    Theme(
        name="flowdbg-dark",
        primary="#5aa9f0",
        secondary="#3b7fc4",
        accent="#f0a35a",
        warning="#e6c35c",
        error="#f2727f",
        success="#7fce8f",
        foreground="#d7dee7",
        background="#10151b",
        surface="#141a21",
        panel="#1b232d",
        variables={
            "border": "#5aa9f0",
            "border-blurred": "#2c3947",
            "block-cursor-background": "#2b5f93",
            "block-cursor-foreground": "#ffffff",
            "block-cursor-blurred-background": "#22303e",
            "scrollbar": "#33465a",
            "scrollbar-background": "#141a21",
        },
    ),
    Theme(
        name="flowdbg-light",
        primary="#0a5fb4",
        secondary="#3b7fc4",
        accent="#9c4a00",
        warning="#7f5f00",
        error="#b3202c",
        success="#1a7437",
        foreground="#1d2733",
        background="#f3f5f8",
        surface="#ffffff",
        panel="#e5eaf0",
        dark=False,
        variables={
            "border": "#0a5fb4",
            "border-blurred": "#c3ccd6",
            "block-cursor-background": "#0a5fb4",
            "block-cursor-foreground": "#ffffff",
            "block-cursor-blurred-background": "#d6e4f3",
            "scrollbar": "#aab8c6",
            "scrollbar-background": "#f3f5f8",
        },
    ),
    Theme(
        name="flowdbg-high-contrast",
        primary="#00c8ff",
        secondary="#00c8ff",
        accent="#ffd500",
        warning="#ffd500",
        error="#ff6b6b",
        success="#4dff88",
        foreground="#ffffff",
        background="#000000",
        surface="#000000",
        panel="#1a1a1a",
        text_alpha=1.0,
        variables={
            "border": "#ffd500",
            "border-blurred": "#ffffff",
            "block-cursor-background": "#ffd500",
            "block-cursor-foreground": "#000000",
            "block-cursor-blurred-background": "#444444",
            "text-muted": "#dddddd",
            "scrollbar": "#ffffff",
            "scrollbar-background": "#000000",
        },
    ),
    Theme(
        name="flowdbg-colour-blind",
        primary="#56b4e9",
        secondary="#0072b2",
        accent="#cc79a7",
        warning="#f0e442",
        error="#ff8c1a",
        success="#56b4e9",
        foreground="#e6e6e6",
        background="#101418",
        surface="#14191e",
        panel="#1c232a",
        variables={
            "border": "#f0e442",
            "border-blurred": "#33404c",
            "block-cursor-background": "#0072b2",
            "block-cursor-foreground": "#ffffff",
            "block-cursor-blurred-background": "#22303c",
        },
    ),
)

SHORT = {
    "dark": "flowdbg-dark",
    "light": "flowdbg-light",
    "high-contrast": "flowdbg-high-contrast",
    "colour-blind": "flowdbg-colour-blind",
    "color-blind": "flowdbg-colour-blind",
    "ansi": "ansi-dark",
}
"""What people write for the themes that are offered first."""


def chosen_theme(wanted: str) -> str:
    """Return the name of a theme that exists.

    Args:
        wanted: A short or a full name; empty follows `TEXTUAL_THEME`, else it is dark.

    Raises:
        ConfigError: There is no such theme.
    """
    names = {*BUILTIN_THEMES, *(theme.name for theme in OURS)}
    asked = wanted or os.environ.get("TEXTUAL_THEME", "") or "dark"
    name = SHORT.get(asked, asked)
    if name in names:
        return name
    if not wanted:
        return SHORT["dark"]
    near = did_you_mean(asked, [*SHORT, *sorted(names)])
    raise ConfigError(
        f"There is no theme '{asked}'{near or '.'}", f"Choose one of: {', '.join(SHORT)}."
    )


def colours_are_off() -> bool:
    """Whether NO_COLOR asks for no colour at all; an empty one does not (no-color.org)."""
    return bool(os.environ.get("NO_COLOR"))
