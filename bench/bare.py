"""What taps are measured against: a bare Flask view that answers with the same redirect, and writes nothing down."""

from flask import Flask
from werkzeug.wrappers import Response

app = Flask(__name__)


@app.get("/t/<token>")
def tap(token: str) -> Response:
    return Response(status=302, headers={"Location": "https://example.com/", "Cache-Control": "no-store"})
