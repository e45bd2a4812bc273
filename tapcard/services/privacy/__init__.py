"""Personal data: account closure, erasure, export."""
