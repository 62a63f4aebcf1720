"""Which key does what: the defaults, a ready-made map, and what a configuration changes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from textual.binding import Binding

from flowdbg.errors import ConfigError
from flowdbg.present.suggest import did_you_mean
from flowdbg.tui.actions import BY_ID, GROUPS, Action

Keymap = Mapping[str, tuple[str, ...]]
"""The keys of each action, by the action's id."""

VSCODE: Keymap = {
    "run.step": ("f10", "n"),
    "run.continue": ("f5", "c"),
    "run.cancel": ("shift+f5", "ctrl+c"),
    "run.restart": ("ctrl+f5", "R"),
    "run.to-selected": ("f11", "t"),
    "breakpoint.toggle": ("f9", "b"),
    "app.help": ("f1", "?"),
    "search.next": ("f3", "."),
    "search.previous": ("shift+f3", ","),
}
"""Keys of Visual Studio Code beside the usual ones: many terminals keep F11 for themselves."""

MAPS: Mapping[str, Keymap] = {"default": {}, "vscode": VSCODE}

NEVER = {
    "ctrl+enter": "never arrives in most terminals",
    "shift+enter": "never arrives in most terminals",
    "alt+enter": "arrives as enter",
    "ctrl+h": "arrives as backspace",
    "ctrl+i": "arrives as tab",
    "ctrl+m": "arrives as enter",
    "ctrl+space": "arrives as ctrl+@",
}
"""Keys that cannot be bound, and why."""

_NAMED = {
    "[": "left_square_bracket", "]": "right_square_bracket", "+": "plus", "-": "minus",
    "=": "equals_sign", "/": "slash", ".": "full_stop", ",": "comma", ":": "colon",
    "?": "question_mark", "*": "asterisk", "_": "underscore", "{": "left_curly_bracket",
    "}": "right_curly_bracket",
}  # fmt: skip


def resolve(
    overrides: Mapping[str, str | Sequence[str]] | None = None, base: str = "default"
) -> dict[str, tuple[str, ...]]:
    """Return the keys of every action.

    Args:
        overrides: Keys by action id, from the configuration: one key, several separated by commas
            or in a list, or an empty text for none.
        base: The name of a ready-made map.

    Raises:
        ConfigError: An id or map is unknown, a key cannot be bound, or two actions that can be done
            at the same time have the same key; the message names both.
    """
    if base not in MAPS:
        known = ", ".join(MAPS)
        raise ConfigError(f"There is no keymap '{base}'.", f"Choose one of: {known}.")
    keys = {action.id: action.keys for action in BY_ID.values()}
    keys.update(MAPS[base])
    for action_id, given in (overrides or {}).items():
        if action_id not in BY_ID:
            raise ConfigError(
                f"The keymap names an action '{action_id}' that does not exist"
                f"{did_you_mean(action_id, BY_ID)}.",
                "Run `flowdbg config keys` to see all actions.",
            )
        keys[action_id] = _parsed(action_id, given)
    for group in GROUPS.values():
        _refuse_clashes(group, keys)
    return keys


def binding_key(key: str) -> str:
    """Return Textual's name of a key: `slash` for `/`."""
    return _NAMED.get(key, key)


def bindings(actions: Sequence[Action], keys: Keymap, *, priority: bool = False) -> list[Binding]:
    """Return Textual bindings for actions, each with its id and all its keys."""
    return [
        Binding(
            ",".join(map(binding_key, keys[action.id])),
            f"do('{action.id}')",
            action.label or action.help,
            show=bool(action.weight),
            tooltip=action.help,
            id=action.id,
            priority=priority,
        )
        for action in actions
        if keys[action.id]
    ]


def _parsed(action_id: str, given: str | Sequence[str]) -> tuple[str, ...]:
    parts = [given] if given == "," else given.split(",") if isinstance(given, str) else given
    keys = tuple(part.strip() for part in parts if part.strip())
    for key in keys:
        why = NEVER.get(key, "")
        if key.startswith("alt+") and key[4:].isdigit():
            why = "arrives as another character"
        if why:
            raise ConfigError(
                f"The keymap gives '{action_id}' the key {key}, which {why}.",
                "Choose another key.",
            )
    return keys


def _refuse_clashes(actions: Sequence[Action], keys: Keymap) -> None:
    taken: dict[str, str] = {}
    for action in actions:
        for key in keys[action.id]:
            if key in taken:
                raise ConfigError(
                    f"The key {key} is bound to both '{taken[key]}' and '{action.id}'.",
                    "Give one of them another key under [keys].",
                )
            taken[key] = action.id
