"""Templates of prompts, addresses and headers: Liquid, strict and bounded.

`{{ field }}`, `{{ initial.field }}`, `{{ outputs.step.field }}`, filters, `if`, `for`; a single
brace `{field}` works as well where `field` is exactly a known field. Objects and lists are
written as JSON. Output size, loops, nesting and time are bounded (see `environment`).
"""

from flowdbg.engine.templates.template import Template, TemplateError, due, render, template_problem

__all__ = ["Template", "TemplateError", "due", "render", "template_problem"]
