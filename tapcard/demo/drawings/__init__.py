"""Pictures drawn by code for the demo; nothing is borrowed."""

from .cards import DESIGNS, portrait
from .goods import GOODS

__all__ = ["DESIGNS", "GOODS", "portrait"]
