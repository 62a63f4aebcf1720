"""The embedded flow server: app, publishing, runs, storage; mounts every dialect's routes."""
