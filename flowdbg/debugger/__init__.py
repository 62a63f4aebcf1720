"""The debugger: one object with the verbs, used by every front-end."""

from flowdbg.debugger.debugger import Debugger
from flowdbg.debugger.journal import Change, Subscription

__all__ = ["Change", "Debugger", "Subscription"]
