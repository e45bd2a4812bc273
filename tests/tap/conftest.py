"""Fixtures for the tests of profiles."""

import pytest

from tests.conftest import login


@pytest.fixture
def ada_client(client, ada):
    login(client, ada)
    return client


@pytest.fixture
def ada_profile(ada, create_profile):
    return create_profile(ada, "ada-obi", headline="Architect", phone="+442079460000")
