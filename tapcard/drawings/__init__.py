"""Pictures drawn by code for the demo; nothing is borrowed."""

from .cards import DESIGNS, portrait

__all__ = ["DESIGNS", "portrait"]
