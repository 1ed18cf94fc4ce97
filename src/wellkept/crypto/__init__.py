"""Secrets.toml, the embedded default: values that are safe to commit."""
