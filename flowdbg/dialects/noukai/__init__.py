"""The Noukai dialect: stateless `/step` over server-sent events, and the routes around it."""
