"""Buttons that move a row up or down."""

from flask import request

OFFSETS = {"up": -1, "down": 1}


def move_offset() -> int:
    """Return by how many places the submitted button moves a row."""
    return OFFSETS.get(request.form.get("to", ""), 0)
