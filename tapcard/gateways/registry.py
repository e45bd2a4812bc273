"""Which gateways this installation has."""

from collections.abc import Callable

from config import Config

from .base import Gateway
from .offline import OfflineGateway
from .sandbox import SandboxGateway


def build(config: Config, sandbox_page: Callable[[str], str]) -> dict[str, Gateway]:
    """The gateways that are switched on, by their codes, in the order in which they are offered."""
    found: list[Gateway] = []
    if config.sandbox_gateway:
        found.append(SandboxGateway(sandbox_page))
    found.append(OfflineGateway())
    return {gateway.code: gateway for gateway in found}
