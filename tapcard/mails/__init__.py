"""Emails: one function per kind, by subject."""
