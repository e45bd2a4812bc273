"""Registry of the gateways of an installation."""

from collections.abc import Callable

from config import Config

from .base import Gateway
from .offline import OfflineGateway
from .sandbox import SandboxGateway


def build(config: Config, sandbox_page: Callable[[str], str]) -> dict[str, Gateway]:
    """Return the enabled gateways by code, in the order in which they are offered."""
    gateways: list[Gateway] = []
    if config.sandbox_gateway:
        gateways.append(SandboxGateway(sandbox_page))
    gateways.append(OfflineGateway())
    return {gateway.code: gateway for gateway in gateways}
