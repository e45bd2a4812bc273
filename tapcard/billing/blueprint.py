"""The blueprint, apart from its views."""

from flask import Blueprint

bp = Blueprint("billing", __name__, url_prefix="/billing")
