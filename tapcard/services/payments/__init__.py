"""Payments: starting, settling, closing."""
