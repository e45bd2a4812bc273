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
    """Answer that the process is alive, without checking anything else."""
    return Response("ok\n", mimetype="text/plain", headers={"Cache-Control": "no-store"})


@bp.get("/readyz")
@access(SYSTEM)
def readyz() -> Response:
    """Report the health checks: 503 only if this host cannot serve; a delayed worker is no reason for it."""
    config = current_app.config["TAPCARD"]
    report = health.check_runtime(config, current_app.extensions["spool"])
    response = jsonify(report.as_dict())
    response.status_code = 200 if report.is_ready else 503
    response.headers["Cache-Control"] = "no-store"
    return response
