"""The debugger's rules: pure data and pure functions. No I/O, no asyncio, no clock."""
