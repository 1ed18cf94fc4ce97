"""TOML with places: a text becomes data that knows its lines, or one clear fault, at a bounded cost."""
