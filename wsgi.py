"""WSGI entry point: `wsgi:app`."""

import gc

gc.disable()  # loading code creates no garbage, and collecting while it loads takes a sixth of the start

from config import Config  # noqa: E402
from tapcard.app import create_app  # noqa: E402

app = create_app(Config.from_env())

gc.freeze()  # what is loaded stays loaded, so later collections need not look at it
gc.enable()
