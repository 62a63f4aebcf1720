"""Widgets: each one in a module of its own, with its style beside it."""
