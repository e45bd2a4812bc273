"""Processes with more than one transaction, or with a network call between two."""
