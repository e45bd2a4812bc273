"""Rate limits of ordinary pages and of unknown tokens; taps of known cards are exempt."""

from collections.abc import Callable

import pytest
import redis
from flask import Flask

from tapcard.models import Card
from tests import external_services
from tests.conftest import FormClient

ELSEWHERE = {"REMOTE_ADDR": "192.0.2.7"}
NO_REDIS = "redis://127.0.0.1:1/0"


@pytest.fixture
def strict(other_app: Callable[..., Flask]) -> Callable[..., FormClient]:
    """Return a client of an application that allows three pages and two unknown cards a day."""
    return lambda **more: other_app(  # type: ignore[return-value]
        flood_limit="3 per day", unknown_token_limit="2 per day", **more
    ).test_client()


def test_too_many_requests_get_an_error_page(strict: Callable[..., FormClient]) -> None:
    client = strict()
    assert [client.get("/terms").status_code for _time in range(4)] == [200, 200, 200, 429]
    response = client.get("/designs")
    assert response.status_code == 200, "each page counts by itself"
    assert "Too many attempts" in client.get("/terms").text


def test_other_visitors_are_not_limited(strict: Callable[..., FormClient]) -> None:
    client = strict()
    for _time in range(4):
        client.get("/terms")
    assert client.get("/terms", environ_base=ELSEWHERE).status_code == 200


def test_an_ipv6_network_counts_as_one_visitor(strict: Callable[..., FormClient]) -> None:
    client = strict()
    statuses = [
        client.get("/terms", environ_base={"REMOTE_ADDR": f"2001:db8:1:2::{number}"}).status_code for number in range(4)
    ]
    assert statuses == [200, 200, 200, 429]


@pytest.mark.parametrize("path", ["/t/ADASCARD", "/q/ADASCARD", "/card/ADASCARD", "/t/WAITING2", "/healthz", "/readyz"])
def test_taps_and_health_checks_are_never_limited(
    strict: Callable[..., FormClient], card: Card, create_card: Callable[..., Card], path: str
) -> None:
    create_card(token="WAITING2", code="CARD2345")
    client = strict()
    assert 429 not in {client.get(path).status_code for _time in range(8)}


def test_guessing_tokens_is_limited_and_known_cards_are_not(
    strict: Callable[..., FormClient], card: Card, create_card: Callable[..., Card]
) -> None:
    create_card(token="WAITING2", code="CARD2345")
    client = strict()
    assert [client.get(f"/t/NOSUCH{number}").status_code for number in range(2, 6)] == [404, 404, 429, 429]
    response = client.get("/q/NOSUCH9")
    assert response.status_code == 429
    assert response.headers["Retry-After"] == "60"
    assert "Too many attempts with unknown cards." in response.text
    assert client.get("/t/ADASCARD").status_code == 302
    assert client.get("/t/WAITING2").status_code == 200
    assert client.get("/t/NOSUCH9", environ_base=ELSEWHERE).status_code == 404


def test_applications_count_separately(strict: Callable[..., FormClient]) -> None:
    one, other = strict(), strict()
    for _time in range(4):
        one.get("/terms")
    assert other.get("/terms").status_code == 200


@pytest.mark.filterwarnings("ignore::UserWarning")
def test_processes_count_separately_without_redis(strict: Callable[..., FormClient], card: Card) -> None:
    client = strict(redis_url=NO_REDIS)
    assert client.get("/terms").status_code == 200
    assert client.get("/t/ADASCARD").status_code == 302
    for _time in range(3):
        assert client.get("/t/NOSUCH2", environ_base={"REMOTE_ADDR": "192.0.2.99"}).status_code in (404, 429)


@pytest.mark.redis
def test_hosts_count_together_with_redis(strict: Callable[..., FormClient]) -> None:
    redis.Redis.from_url(external_services.REDIS_URL).flushdb()
    one, other = strict(redis_url=external_services.REDIS_URL), strict(redis_url=external_services.REDIS_URL)
    statuses = [client.get("/terms").status_code for client in (one, other, one, other)]
    assert statuses == [200, 200, 200, 429]
    guesses = [client.get("/t/NOSUCH2").status_code for client in (one, other, one)]
    assert guesses == [404, 404, 429]
