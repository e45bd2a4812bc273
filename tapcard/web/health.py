"""Health endpoints for supervisors and load balancers."""

from flask import Blueprint, Flask, Response, current_app, jsonify

from ..workflows import health
from .access import SYSTEM, access

bp = Blueprint("ops", __name__)


def init_app(app: Flask) -> None:
    """Add `/healthz` and `/readyz`."""
    app.register_blueprint(bp)


@bp.get("/healthz")
@access(SYSTEM)
def healthz() -> Response:
    """Say that the process answers, without asking anything else."""
    return Response("ok\n", mimetype="text/plain", headers={"Cache-Control": "no-store"})


@bp.get("/readyz")
@access(SYSTEM)
def readyz() -> Response:
    """Say with numbers how things stand: 503 only when this host cannot serve, for a late worker is no reason to."""
    config = current_app.config["TAPCARD"]
    state = health.state(config, current_app.extensions["spool"])
    answer = jsonify(state.as_dict())
    answer.status_code = 200 if state.is_ready else 503
    answer.headers["Cache-Control"] = "no-store"
    return answer
