"""`python -m flowdbg` is the same as `flowdbg`."""

from flowdbg.cli.main import main

main()
