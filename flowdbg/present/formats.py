"""Numbers as people read them: durations, tokens, money, sizes, ages."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation

_MINUTE = 60.0
_HOUR = 3600.0
_DAY = 86400.0


def duration(milliseconds: float | None) -> str:
    """Show how long something took: `340ms`, `1.2s`, `2m05s`, `1h02m`; a dash when unknown."""
    if milliseconds is None:
        return "—"
    if milliseconds < 999.5:
        return f"{max(milliseconds, 0):.0f}ms"
    seconds = milliseconds / 1000
    if seconds < 59.95:
        return f"{seconds:.1f}s"
    whole = round(seconds)
    if whole < _HOUR:
        return f"{whole // 60}m{whole % 60:02d}s"
    return f"{whole // 3600}h{whole % 3600 // 60:02d}m"


def clock(seconds: float) -> str:
    """Show a running time: `0:12.4`, `12:05`, `1:02:05`; tenths only under a minute."""
    if seconds < _MINUTE:
        return f"0:{int(max(seconds, 0) * 10) / 10:04.1f}"
    whole = int(seconds)
    if whole < _HOUR:
        return f"{whole // 60}:{whole % 60:02d}"
    return f"{whole // 3600}:{whole % 3600 // 60:02d}:{whole % 60:02d}"


def count(number: int) -> str:
    """Show a count with separators: `12,345`."""
    return f"{number:,}"


def tokens(number: int | None) -> str:
    """Show a token count: `3,214 tok`; empty when unknown or none were used."""
    return "" if not number else f"{number:,} tok"


def cost(amount: str | Decimal | float | None) -> str:
    """Show dollars with as many digits as matter: `$0.014`, `$0.00015`, `$12.50`.

    Nothing is shown for nothing, and for a value that is not a number.
    """
    if amount is None or amount == "":
        return ""
    try:
        value = Decimal(str(amount))
    except InvalidOperation:
        return ""
    if not value.is_finite() or value == 0:
        return ""
    if value >= 1:
        return f"${value:,.2f}"
    shown = f"{value:.6f}".rstrip("0")
    return (
        f"${shown if len(shown) > 4 else f'{value:.2f}'}"
        if value >= Decimal("1e-6")
        else "<$0.000001"
    )


def size(characters: int) -> str:
    """Show a size: `812 B`, `64 KB`, `5.2 MB` (units of 1,024)."""
    if characters < 1024:
        return f"{characters} B"
    if characters < 1024 * 1024:
        return f"{characters / 1024:.0f} KB"
    return f"{characters / 1024 / 1024:.1f} MB"


def age(seconds: float) -> str:
    """Show how long ago something was: `just now`, `5 min ago`, `3 h ago`, `12 days ago`."""
    if seconds < 45:
        return "just now"
    if seconds < _HOUR:
        return f"{max(1, round(seconds / 60))} min ago"
    if seconds < _DAY:
        return f"{max(1, round(seconds / _HOUR))} h ago"
    days = max(1, round(seconds / _DAY))
    return "yesterday" if days == 1 else f"{days} days ago"


def rate(number: int, seconds: float) -> str:
    """Show a speed in tokens a second: `42 tok/s`; empty before it means anything."""
    return f"{number / seconds:.0f} tok/s" if seconds >= 0.2 and number > 0 else ""


def plural(number: int, one: str, many: str = "") -> str:
    """Count things: `1 match`, `3 matches`."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"
