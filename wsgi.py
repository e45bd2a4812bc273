"""The application as a web server wants it: `wsgi:app`."""

from config import Config
from tapcard.app import create_app

app = create_app(Config.from_env())
