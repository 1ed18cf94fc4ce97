"""Declared settings, what the layers say of them, and their conversion."""
