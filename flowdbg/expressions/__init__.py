"""Python expressions and code from people and flows, bounded in time and memory.

Breakpoint conditions, watches, `when` guards and `code` blocks all run here: in worker processes
of pydantic-monty, which has no file system, no network and no imports beyond a few pure modules.
"""

from flowdbg.expressions.sandbox import Sandbox, SandboxLimits
from flowdbg.expressions.source import body_problem, expression_problem

__all__ = ["Sandbox", "SandboxLimits", "body_problem", "expression_problem"]
