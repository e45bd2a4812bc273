"""Number of queries per page, independent of the amount of data."""

from collections.abc import Callable

import pytest
import sqlalchemy as sa

from tapcard import seeds
from tapcard.db import db
from tapcard.models import Card, Design, DesignStatus, Product, Profile, Review, User
from tests.conftest import FormClient, login
from tests.statements import queries, statements

MAX_QUERIES = 12
PHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) Version/18.1 Mobile/15E148 Safari/604.1"


@pytest.fixture
def create_rows(
    create_card: Callable[..., Card],
    create_design: Callable[..., Design],
    create_profile: Callable[..., Profile],
    new_client: Callable[[], FormClient],
    run_worker: Callable[[], None],
    ada: User,
) -> Callable[[int], None]:
    """Return a function that creates cards, profiles, taps, leads and catalogue rows."""

    def make(number: int) -> None:
        visitor = new_client()
        for place in range(number):
            profile = create_profile(ada, f"ada-{number}-{place}")
            card = create_card(ada, design=create_design(f"Design {number} {place}"), profile=profile)
            create_card(design=card.design, code="CARD2345")
            seeds.create_lead(profile)
            visitor.get(f"/t/{card.token}", headers={"User-Agent": PHONE})
            visitor.get(f"/t/NOSUCH{number}X{place}")
            create_catalogue_rows(ada, f"{number}-{place}")
        run_worker()

    return make


PAGES = ("/p/ada-3-0/share",
         "/", "/designs", "/p/ada-3-0", "/activate/WAITING2", "/t/WAITING2", "/t/NOSUCH22", "/dashboard",
         "/cards/ADASCARD", "/cards/ADASCARD/release", "/profiles", "/account", "/no/such/page",
         "/p/ada-3-0.vcf", "/leads", "/account/two-factor", "/account/sessions",
         "/account/addresses", "/account/addresses/new", "/account/close",
         "/cards/ADASCARD/replace", "/cards/ADASCARD/transfer", "/statistics",
         "/statistics?card=ADASCARD", "/api/v1/statistics/hours", "/api/v1/statistics/countries")  # fmt: skip
BACK_OFFICE = ("/admin/", "/admin/tables/cards/", "/admin/tables/audit/", "/admin/cards/register", "/admin/hosts",
               "/admin/products", "/admin/products/new", "/admin/shelves", "/admin/shelves/categories/new",
               "/admin/promotions", "/admin/promotions/new", "/admin/delivery", "/admin/delivery/new",
               "/admin/currencies", "/admin/designs", "/admin/reviews")  # fmt: skip


def create_catalogue_rows(ada: User, name: str) -> None:
    """Create one of everything in the catalogue."""
    category, collection = seeds.create_category(name), seeds.create_collection(name)
    product = seeds.create_product(name, category=category, pictures=[(f"{1:032x}.webp", "")], stock=1)
    product.collections = [collection]
    seeds.create_option(product)
    seeds.create_promotion(f"P{name}", product=product)
    seeds.create_promotion(f"C{name}", category=category)
    seeds.create_delivery_method(name)
    seeds.create_design(name, is_public=False, status=DesignStatus.REQUESTED, owner=ada)
    db.session.add(Review(product=product, user=ada, author="Ada", rating=4))
    db.session.commit()


def second_request_queries(client: FormClient, path: str) -> list[str]:
    """Return the queries of the second request for a page, when the session has its token."""
    client.get(path)
    db.session.commit()
    with statements(all_of_them=True) as recorded:
        response = client.get(path)
    assert response.status_code in (200, 302, 401, 404)
    return queries(recorded)


@pytest.mark.ui
@pytest.mark.parametrize("who", ["nobody", "ada", "ben"])
def test_pages_run_a_fixed_number_of_queries(
    client: FormClient, create_rows: Callable[[int], None], card: Card, create_card: Callable[..., Card],
    request: pytest.FixtureRequest, who: str,
) -> None:  # fmt: skip
    create_card(token="WAITING2", code="CARD2345", design=card.design)
    if who != "nobody":
        login(client, request.getfixturevalue(who))
    pages = (*PAGES, *BACK_OFFICE) if who == "ben" else PAGES
    create_rows(3)
    if who == "ben":
        product = db.session.scalars(sa.select(Product)).first()
        assert product is not None
        pages = (*pages, f"/admin/products/{product.id}")
    few = {path: second_request_queries(client, path) for path in pages}
    create_rows(27)
    many = {path: second_request_queries(client, path) for path in pages}
    for path in pages:
        assert len(few[path]) <= MAX_QUERIES, f"{path}\n" + "\n".join(few[path])
        assert len(many[path]) == len(few[path]), f"{path}\n" + "\n".join(many[path])


def test_a_redirecting_tap_uses_no_connection_of_the_application(client: FormClient, card: Card) -> None:
    client.get("/t/ADASCARD")  # creates the visitor key of the day
    with statements(all_of_them=True) as recorded:
        assert client.get("/t/ADASCARD").status_code == 302
    assert recorded == [], "the fast path has its own connection"
