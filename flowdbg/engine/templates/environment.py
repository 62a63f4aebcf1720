"""The template language: which tags and filters there are, and the limits of one rendering.

Time is checked whenever a node renders, a loop begins or a filter is looked up; together with the
bounded filters no step between two checks is long.
"""

from __future__ import annotations

from contextvars import ContextVar
from io import StringIO
from typing import Any, TextIO

from liquid import BoundTemplate, Environment, RenderContext, Token
from liquid.builtin import content, illegal, output
from liquid.builtin.tags import (
    assign_tag,
    capture_tag,
    case_tag,
    echo_tag,
    for_tag,
    if_tag,
    unless_tag,
)
from liquid.output import LimitedStringIO
from liquid.undefined import FalsyStrictUndefined

from flowdbg.engine.effort import Deadline
from flowdbg.engine.templates.filters import FILTERS, as_text

MAX_SECONDS = 1.0
"""Longest rendering, in processor time."""
MAX_OUTPUT = 1_000_000
"""Longest result in bytes."""
current_deadline: ContextVar[Deadline | None] = ContextVar("template_deadline", default=None)
"""When the parsing and rendering that goes on here has to be over."""


class UnknownField(FalsyStrictUndefined):
    """A field that does not exist: an error where it is used, false in `if`, `default` applies."""

    force_liquid_default = True


class TextNode(output.OutputNode):
    """Writes a value; objects and lists as JSON."""

    def render_to_output(self, context: RenderContext, buffer: TextIO) -> int:
        """Write the value of the expression."""
        return buffer.write(as_text(self.expression.evaluate(context)))


class TextOutput(output.Output):
    """`{{ … }}`."""

    node_class = TextNode


class TextEcho(echo_tag.EchoTag):
    """`{% echo … %}`."""

    node_class = TextNode  # type: ignore[assignment]  # the library names its own node class


class BoundedContext(RenderContext):
    """A rendering with a deadline."""

    def __init__(self, template: BoundTemplate, **options: Any) -> None:
        self._deadline = current_deadline.get() or Deadline(MAX_SECONDS)
        super().__init__(template, **options)

    # Every node asks for this list before it renders, so this is where time is checked.
    @property
    def disabled_tags(self) -> list[str]:
        """No tag is disabled; raises when the time is over."""
        self._check_time()
        return []

    @disabled_tags.setter
    def disabled_tags(self, names: list[str]) -> None:
        """The library sets it to an empty list."""

    def raise_for_loop_limit(self, length: int = 1) -> None:
        """Refuse a loop that is too long, or begins too late."""
        self._check_time()
        super().raise_for_loop_limit(length)

    def filter(self, name: str, token: Token | None) -> Any:
        """Look up a filter."""
        self._check_time()
        return super().filter(name, token)

    def get_buffer(self, buf: TextIO | None = None) -> StringIO:
        """A buffer for a part of the output, with what is left of the limit."""
        return _buffer(buf.size if isinstance(buf, LimitedStringIO) else 0)

    def _check_time(self) -> None:
        self._deadline.check()


class BoundedTemplate(BoundTemplate):
    """A parsed template that renders in a bounded context."""

    context_class = BoundedContext

    def _get_buffer(self) -> StringIO:
        return _buffer(0)

    def make_partial_namespace(
        self,
        partial: bool,
        render_args: Any,
    ) -> dict[str, object]:
        """Only the values given; the library adds the name `partial`, which hides a field."""
        return dict(render_args)


def _buffer(written: int) -> LimitedStringIO:
    # Without `newline` it would turn a carriage return into a line feed.
    return LimitedStringIO(MAX_OUTPUT - written, newline="")


class FlowEnvironment(Environment):
    """The language of a flow's templates."""

    template_class = BoundedTemplate
    block_nesting_limit = 30
    context_depth_limit = 40
    loop_iteration_limit = 100_000
    local_namespace_limit = 2_000_000
    output_stream_limit = MAX_OUTPUT

    def __init__(self) -> None:
        super().__init__(undefined=UnknownField, strict_filters=True)

    def setup_tags_and_filters(self, *, extra: bool = False) -> None:
        """Register the tags and filters there are; nothing loads another template."""
        for tag in (
            content.Literal, TextOutput, illegal.Illegal, TextEcho, assign_tag.AssignTag,
            capture_tag.CaptureTag, case_tag.CaseTag, for_tag.ForTag, for_tag.BreakTag,
            for_tag.ContinueTag, if_tag.IfTag, unless_tag.UnlessTag,
        ):  # fmt: skip
            self.add_tag(tag)
        for name, function in FILTERS.items():
            self.add_filter(name, function)
