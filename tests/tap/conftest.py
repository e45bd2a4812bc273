"""Fixtures for the tests of profiles."""

import pytest

from tests.conftest import login


@pytest.fixture
def signed_in(client, ada):
    login(client, ada)
    return client


@pytest.fixture
def own(ada, create_profile):
    return create_profile(ada, "ada-obi", headline="Architect", phone="+442079460000")
