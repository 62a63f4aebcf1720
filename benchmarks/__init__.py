"""What is fast, against whom; not part of the tests. Each module is run with `python -m`."""
