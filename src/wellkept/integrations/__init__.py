"""One module a framework: what it needs to work with the rest of the house."""
