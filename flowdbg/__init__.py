"""flowdbg: the terminal debugger for flows, published pipelines of LLM and code steps.

Nothing is imported here, so that `flowdbg --help` and the headless front-end stay quick to start.
"""

__version__ = "0.1.0"
