"""What this machine holds: other variables, and files."""
