"""Taps: routing, ingestion, roll-ups, statistics."""
