"""Cuts a template into tokens in one pass.

The library's own tokenizer is one large regular expression that takes minutes for a few thousand
spaces after `{{`. This one is linear, knows single braces, and bounds the length of a tag.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator

from liquid import Token
from liquid.exceptions import LiquidSyntaxError
from liquid.token import TOKEN_CONTENT, TOKEN_EXPRESSION, TOKEN_OUTPUT, TOKEN_TAG

MAX_TAG = 1000
"""Longest `{{ … }}` or `{% … %}` in characters."""

MAX_BRACKETS = 30
"""Most `[` in one of them; to find out what nested ones read takes the library long."""

_OPEN = re.compile(r"\{\{|\{%")
_NAME = re.compile(r"[a-z]+")
_SINGLE = re.compile(r"\{([A-Za-z_][A-Za-z0-9_]*)((?:\.[A-Za-z0-9_-]+)*)\}")
# Words of the language that are also likely names of fields; the library takes them for syntax.
_WORDS = "limit|offset|reversed|cols|continue|with|for|as|in|required|if|else"
_QUOTED = re.compile(r"(\"[^\"]*\"|'[^']*')")
_WORD_AFTER_DOT = re.compile(
    rf"(?<!\.)\.({_WORDS}|and|or|not|contains|true|false|nil|null|empty|blank)(?![\w-])"
)
_WORD_FIRST = re.compile(rf"\A({_WORDS})(?![\w-])")
_VERBATIM = {"raw": re.compile(r"\{%-?\s{0,20}endraw\s{0,20}-?%\}")}
_VERBATIM["comment"] = re.compile(r"\{%-?\s{0,20}endcomment\s{0,20}-?%\}")


def single_names(source: str) -> frozenset[str]:
    """The names that stand in single braces, whether or not they are fields."""
    return frozenset(match.group(1) for match in _SINGLE.finditer(source))


def tokens_of(source: str, fields: Collection[str]) -> Iterator[Token]:
    """The tokens of a template; `{name}` counts as `{{ name }}` when `name` is in `fields`.

    Raises:
        LiquidSyntaxError: A tag is not closed or too long; carries the position.
    """
    at = 0
    strip_left = False
    while at < len(source):
        match = _OPEN.search(source, at)
        end = match.start() if match else len(source)
        dash = match is not None and source.startswith("-", match.end())
        yield from _content(source, at, end, fields, (strip_left, dash))
        if match is None:
            return
        at, strip_left, tokens = _tag(source, match)
        yield from tokens


def _tag(source: str, opening: re.Match[str]) -> tuple[int, bool, list[Token]]:
    """Where the tag ends, whether white space after it goes, and its tokens."""
    start = opening.start()
    is_output = opening.group() == "{{"
    closing = "}}" if is_output else "%}"
    end = source.find(closing, opening.end(), opening.end() + MAX_TAG)
    if end < 0:
        raise _error(f"`{opening.group()}` has no `{closing}` after it", source, start)
    if source.count("[", start, end) > MAX_BRACKETS:
        raise _error(f"`{opening.group()}` has more than {MAX_BRACKETS} brackets", source, start)
    inner_start = opening.end() + source.startswith("-", opening.end())
    inner_end = max(inner_start, end - (source[end - 1] == "-"))
    text = source[inner_start:inner_end]
    inner_start += len(text) - len(text.lstrip())
    text = text.strip()
    after, strip_left = end + 2, source[end - 1] == "-"
    if is_output:
        whole = source[start:after]
        return after, strip_left, [
            Token(TOKEN_OUTPUT, whole, start, source),
            Token(TOKEN_EXPRESSION, _WORD_FIRST.sub(_as_key, _fields(text)), inner_start, source),
        ]  # fmt: skip
    if text.startswith("#"):
        return after, strip_left, []
    name = _NAME.match(text)
    if name is None:
        raise _error("`{%` has no tag name after it", source, start)
    if name.group() in _VERBATIM:
        return _verbatim(source, name.group(), after, start)
    tokens = [Token(TOKEN_TAG, name.group(), inner_start, source)]
    rest = text[name.end() :]
    expression = rest.lstrip()
    if expression:
        place = inner_start + name.end() + len(rest) - len(expression)
        tokens.append(Token(TOKEN_EXPRESSION, _fields(expression), place, source))
    return after, strip_left, tokens


def _verbatim(source: str, name: str, after: int, start: int) -> tuple[int, bool, list[Token]]:
    """`raw` keeps its text as it is, `comment` drops it."""
    closing = _VERBATIM[name].search(source, after)
    if closing is None:
        raise _error(f"`{{% {name} %}}` has no `{{% end{name} %}}` after it", source, start)
    text = source[after : closing.start()]
    tokens = [Token(TOKEN_CONTENT, text, after, source)] if name == "raw" and text else []
    return closing.end(), closing.group()[-3] == "-", tokens


def _content(
    source: str, start: int, end: int, fields: Collection[str], strip: tuple[bool, bool]
) -> Iterator[Token]:
    text = source[start:end]
    if strip[1]:
        text = text.rstrip()
    if strip[0]:
        start += len(text) - len(text.lstrip())
        text = text.lstrip()
    at = 0
    for match in _SINGLE.finditer(text) if fields else ():
        if match.group(1) not in fields:
            continue
        if match.start() > at:
            yield Token(TOKEN_CONTENT, text[at : match.start()], start + at, source)
        yield Token(TOKEN_OUTPUT, match.group(), start + match.start(), source)
        path = _WORD_FIRST.sub(_as_key, _fields(match.group()[1:-1]))
        yield Token(TOKEN_EXPRESSION, path, start + match.start() + 1, source)
        at = match.end()
    if at < len(text):
        yield Token(TOKEN_CONTENT, text[at:], start + at, source)


def _fields(expression: str) -> str:
    """The expression with `.limit` as `["limit"]`, so that any name can be a field's."""
    parts = _QUOTED.split(expression)
    parts[::2] = [_WORD_AFTER_DOT.sub(_as_key, part) for part in parts[::2]]
    return "".join(parts)


def _as_key(word: re.Match[str]) -> str:
    return f'["{word.group(1)}"]'


def _error(message: str, source: str, start: int) -> LiquidSyntaxError:
    return LiquidSyntaxError(message, token=Token(TOKEN_TAG, source[start:start], start, source))
