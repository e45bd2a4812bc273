"""Accounts: registration, credentials, email links, roles, sessions, addresses."""
