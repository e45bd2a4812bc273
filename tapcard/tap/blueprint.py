"""The blueprint that the modules of this package add their views to."""

from flask import Blueprint

bp = Blueprint("tap", __name__)
