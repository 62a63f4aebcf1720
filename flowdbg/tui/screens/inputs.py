"""A run's inputs as a form: one field for each input of the flow, checked while typing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, cast

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.screen import ModalScreen
from textual.widgets import Input, Select, Static, TextArea

from flowdbg.core.json_text import JsonText
from flowdbg.present.inputs_form import Field, collect, fields_of, problems
from flowdbg.present.safe_text import safe_line, safe_text
from flowdbg.tui.host import FlowdbgApp
from flowdbg.tui.styles import plain_line, stylesheet
from flowdbg.tui.widgets.edit_area import EditArea
from flowdbg.tui.widgets.safe_input import SafeInput

Inputs = tuple[str | None, JsonText]
"""The message and the parameters of a run."""


class InputsScreen(ModalScreen[Inputs | None]):
    """Asks for the inputs of a run; None leaves them as they are."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+s,ctrl+j", "apply", "Take", show=False, priority=True, id="editor.apply"),
        Binding("escape", "dismiss(None)", "Back", show=False, priority=True, id="editor.back"),
    ]
    CSS = stylesheet(__file__)

    def __init__(
        self,
        flow: str,
        schema: Mapping[str, Any],
        message: str | None,
        parameters: Mapping[str, Any],
    ) -> None:
        super().__init__()
        self._flow = flow
        self._fields = fields_of(schema)
        given = {**parameters} if message is None else {**parameters, "message": message}
        self._start = {
            field.name: _written(given[field.name]) if field.name in given else field.default
            for field in self._fields
        }
        named = {field.name for field in self._fields}
        self._others = {name: value for name, value in parameters.items() if name not in named}

    def compose(self) -> ComposeResult:
        """Lay out a label, a widget and a line for what is wrong, for each field."""
        with Vertical(id="box") as box:
            box.border_title = plain_line(f"Inputs of {self._flow}", 80)
            with VerticalScroll(id="fields", can_focus=False):
                for number, field in enumerate(self._fields):
                    with Horizontal(classes="label-row"):
                        star = " *" if field.required else ""
                        yield Static(plain_line(field.title + star, 60), classes="label")
                        yield Static(plain_line(_hint(field), 120), classes="hint")
                    yield from self._widget(number, field)
                    yield Static("", id=f"wrong-{number}", classes="wrong", markup=False)
            take, back = map(cast("FlowdbgApp", self.app).key, ("editor.apply", "editor.back"))
            keys = f" {take} take   tab next field   {back} back"
            yield Static(keys, id="keys", markup=False)

    def on_mount(self) -> None:
        """Fill long fields and give the first one the keys."""
        for number, field in enumerate(self._fields):
            if _is_area(field):
                area = self.query_one(f"#field-{number}", EditArea)
                area.load(self._start[field.name], language="json" if field.kind == "json" else "")
                area.tab_behavior = "focus"
                area.show_line_numbers = field.kind == "json"
        if self._fields:
            self.query_one("#field-0").focus()

    def action_apply(self) -> None:
        """Take the inputs, or say what is wrong."""
        texts = self._texts()
        found = problems(self._fields, texts)
        self._say(found)
        if found:
            first = next(number for number, field in enumerate(self._fields) if field.name in found)
            self.query_one(f"#field-{first}").focus()
            self.app.bell()
            return
        message, parameters = collect(self._fields, texts)
        self.dismiss((message, JsonText.of({**self._others, **parameters})))

    @on(Input.Submitted)
    def _submitted(self, event: Input.Submitted) -> None:
        """Enter goes to the next field, and from the last one takes the inputs."""
        event.stop()
        if event.input.id == f"field-{len(self._fields) - 1}":
            self.action_apply()
        else:
            self.focus_next()

    @on(Input.Changed)
    @on(TextArea.Changed)
    @on(Select.Changed)
    def _changed(self) -> None:
        texts = self._texts()
        found = problems(self._fields, texts)
        touched = {
            name: said for name, said in found.items() if texts.get(name, "") != self._start[name]
        }
        self._say(touched)

    def _widget(self, number: int, field: Field) -> ComposeResult:
        name = f"field-{number}"
        start = self._start[field.name]
        if _is_area(field):
            yield EditArea(id=name)
        elif field.kind in ("choice", "boolean"):
            choices = field.choices or ("true", "false")
            yield Select(
                [(safe_line(choice, 60), choice) for choice in choices],
                value=start if start in choices else Select.NULL,
                allow_blank=start not in choices or not (field.required or field.default),
                id=name,
                compact=True,
            )
        else:
            yield SafeInput(safe_text(start), id=name, compact=True)

    def _texts(self) -> dict[str, str]:
        texts = {}
        for number, field in enumerate(self._fields):
            widget = self.query_one(f"#field-{number}")
            if isinstance(widget, EditArea):
                texts[field.name] = widget.text
            elif isinstance(widget, Select):
                texts[field.name] = "" if widget.value is Select.NULL else str(widget.value)
            elif isinstance(widget, SafeInput):
                texts[field.name] = widget.value
        return texts

    def _say(self, found: Mapping[str, str]) -> None:
        for number, field in enumerate(self._fields):
            line = self.query_one(f"#wrong-{number}", Static)
            line.update(plain_line(found.get(field.name, ""), 100))
            line.display = field.name in found


def _is_area(field: Field) -> bool:
    return field.kind in ("long text", "json")


def _hint(field: Field) -> str:
    kind = {"long text": "text", "json": "JSON"}.get(field.kind, field.kind)
    return f"{kind}  {field.description}".rstrip()


def _written(value: Any) -> str:
    return value if isinstance(value, str) else JsonText.of(value).text
