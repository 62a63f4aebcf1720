"""Versions, runs and their steps in a relational database: SQLite by default, PostgreSQL by URL."""
