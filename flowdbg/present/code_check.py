"""What is wrong with a block's Python while somebody types it, and where.

It is read and never run. A server may understand another Python than this one, so what is found
here is a doubt: it can be applied all the same.
"""

from __future__ import annotations

import ast
import warnings

from flowdbg.present.json_check import TextProblem

LONGEST = 64 * 1024
"""Characters up to which code is checked at each pause in typing."""


def code_problem(text: str) -> TextProblem | None:
    """Return the first syntax error of a function's body, or None."""
    if len(text) > LONGEST:
        return None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # a doubtful escape is no syntax error
            ast.parse(text)
    except SyntaxError as error:
        return TextProblem(error.lineno or 0, max(error.offset or 1, 1), error.msg)
    except (RecursionError, MemoryError):
        return TextProblem(0, 0, "nested too deep to be checked")
    except ValueError as error:
        return TextProblem(0, 0, str(error))
    return None


def reads_as_code(text: str) -> bool:
    """Whether a block's code is Python at all: a server may run another language."""
    return code_problem(text) is None
