"""The commands, one module each; a module imports its layer only when its command runs."""
