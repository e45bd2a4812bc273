"""Gateways of an installation."""

import dataclasses

from config import Config
from tapcard.gateways import registry


def test_without_the_sandbox_only_offline_payment_is_available(base_config: Config) -> None:
    for is_on, codes in ((True, ["sandbox", "offline"]), (False, ["offline"])):
        config = dataclasses.replace(base_config, sandbox_gateway=is_on)
        assert list(registry.build(config, str)) == codes
