"""Page that shows the emails of a development installation, which are saved to files."""

from email import message_from_bytes, policy
from pathlib import Path

from flask import Blueprint, Flask, abort, current_app, render_template

from .access import PUBLIC, access

bp = Blueprint("dev", __name__, url_prefix="/dev")
MOST = 50


def init_app(app: Flask) -> None:
    """Show the page in development only."""
    if app.config["TAPCARD"].environment == "development":
        app.register_blueprint(bp)


def folder() -> Path:
    """Where the mails are."""
    return Path(current_app.instance_path) / "mail"


@bp.get("/mail")
@access(PUBLIC)
def mail() -> str:
    """The latest mails, the newest first."""
    paths = sorted(folder().glob("*.eml"), reverse=True)[:MOST]
    mails = []
    for path in paths:
        message = message_from_bytes(path.read_bytes(), policy=policy.default)
        mails.append({"name": path.stem, "to": message["To"], "subject": message["Subject"], "date": message["Date"]})
    return render_template("dev/mail.html", mails=mails)


@bp.get("/mail/<name>")
@access(PUBLIC)
def read(name: str) -> str:
    """One mail, as text with links that can be followed."""
    path = next((each for each in folder().glob("*.eml") if each.stem == name), None)
    if path is None:
        abort(404)
    message = message_from_bytes(path.read_bytes(), policy=policy.default)
    body = message.get_body(("plain",))
    return render_template("dev/message.html", message=message, text=body.get_content() if body else "")
