"""The embedded flow engine: definition, plan, runner, a module per block kind, models.

It knows no wire protocol and no database: the server's dialects are adapters on it.
"""
