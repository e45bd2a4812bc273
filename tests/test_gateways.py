"""Which gateways an installation has."""

import dataclasses

from config import Config
from tapcard.gateways import registry


def test_without_the_sandbox_there_is_only_what_the_shop_confirms(base_config: Config) -> None:
    for is_on, codes in ((True, ["sandbox", "offline"]), (False, ["offline"])):
        config = dataclasses.replace(base_config, sandbox_gateway=is_on)
        assert list(registry.build(config, str)) == codes
