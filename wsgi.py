"""WSGI entry point: `wsgi:app`."""

from config import Config
from tapcard.app import create_app

app = create_app(Config.from_env())
