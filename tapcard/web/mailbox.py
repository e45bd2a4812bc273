"""Pages that show the emails of a development installation, which are saved to files."""

from email import message_from_bytes, policy
from pathlib import Path

from flask import Blueprint, Flask, abort, current_app, render_template

from .access import PUBLIC, access

bp = Blueprint("dev", __name__, url_prefix="/dev")
MAX_MESSAGES = 50


def init_app(app: Flask) -> None:
    """Register the pages, in development only."""
    if app.config["TAPCARD"].environment == "development":
        app.register_blueprint(bp)


def folder() -> Path:
    """Return the folder of the saved emails."""
    return Path(current_app.instance_path) / "mail"


@bp.get("/mail")
@access(PUBLIC)
def mail() -> str:
    """List the latest emails, newest first."""
    paths = sorted(folder().glob("*.eml"), reverse=True)[:MAX_MESSAGES]
    mails = []
    for path in paths:
        message = message_from_bytes(path.read_bytes(), policy=policy.default)
        mails.append({"name": path.stem, "to": message["To"], "subject": message["Subject"], "date": message["Date"]})
    return render_template("dev/mail.html", mails=mails)


@bp.get("/mail/<name>")
@access(PUBLIC)
def read(name: str) -> str:
    """Show an email as text with working links."""
    path = next((path for path in folder().glob("*.eml") if path.stem == name), None)
    if path is None:
        abort(404)
    message = message_from_bytes(path.read_bytes(), policy=policy.default)
    body = message.get_body(("plain",))
    return render_template("dev/message.html", message=message, text=body.get_content() if body else "")
