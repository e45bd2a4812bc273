"""The blueprint, apart from its views."""

from flask import Blueprint

bp = Blueprint("shop", __name__)
