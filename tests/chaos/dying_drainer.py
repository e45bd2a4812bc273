"""Drain like the worker, and end the process with SIGKILL at a given step."""

import os
import signal

from config import Config
from tapcard import spool
from tapcard.app import create_app
from tapcard.workflows import draining


def die(*_: object, **__: object) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def main() -> None:
    app = create_app(Config.from_env())
    spool.os.unlink = die  # after the commit, instead of removing the finished file
    with app.app_context():
        draining.create_drainer().drain()


if __name__ == "__main__":
    main()
