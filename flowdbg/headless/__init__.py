"""The debugger without a screen; the only writer to stdout."""
