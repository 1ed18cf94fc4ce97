"""SOPS files, read natively: age recipients, every value and the MAC verified."""
