"""A child process with its secrets."""
