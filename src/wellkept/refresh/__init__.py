"""Keeping what was read fresh: the plan of each value, the engine that follows it, and its one thread."""
