"""Emails, one function per kind and one module per subject."""
