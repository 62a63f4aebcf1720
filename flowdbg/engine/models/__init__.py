"""Where tokens come from: configured providers, the offline model, and scripted models."""
