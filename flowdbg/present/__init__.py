"""Pure view models that every front-end shares: text, rows, differences, formats, states.

Nothing here draws, waits or knows a terminal library; what comes in is plain values, what goes
out is plain values, so that all of it can be tested without a screen.
"""
