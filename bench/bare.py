"""Baseline for taps: a bare Flask view that returns the same redirect without recording it."""

from flask import Flask
from werkzeug.wrappers import Response

app = Flask(__name__)


@app.get("/t/<token>")
def tap(token: str) -> Response:
    return Response(status=302, headers={"Location": "https://example.com/", "Cache-Control": "no-store"})
