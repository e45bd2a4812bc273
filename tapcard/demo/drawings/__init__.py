"""Pictures of the demo, drawn by code."""

from .cards import DESIGNS, portrait
from .goods import GOODS

__all__ = ["DESIGNS", "GOODS", "portrait"]
