"""Demo data and its drawings."""
