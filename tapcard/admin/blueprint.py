"""The blueprint, apart from its views."""

from flask import Blueprint

bp = Blueprint("backoffice", __name__, url_prefix="/admin")
