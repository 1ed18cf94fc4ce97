"""Keeping known values out of what a process prints."""
