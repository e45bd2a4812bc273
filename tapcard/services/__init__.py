"""Rules across rows: what the application does, without the web."""
