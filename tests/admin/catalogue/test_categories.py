"""Categories and collections in the back office: the tree, the order and outdated forms."""

import io
import re
from collections.abc import Callable

import pytest
import sqlalchemy as sa
from PIL import Image

from tapcard.db import db
from tapcard.models import AuditEntry, Category, Collection, CollectionKind, Product, User
from tests.conftest import FormClient, login
from tests.pages import error_of, form_to, words_of

SHELVES = "/admin/shelves"


@pytest.fixture
def ben_client(client: FormClient, ben: User) -> FormClient:
    """Return the client of Ben, who is staff."""
    login(client, ben)
    return client


def category_url(category: Category) -> str:
    return f"{SHELVES}/categories/{category.id}"


def submit(client: FormClient, path: str, **changes: object) -> object:
    values = form_to(client.get(path).text, "").values
    return client.post(path, data={**values, **changes}, csrf=False)


def test_a_subcategory_is_created_with_a_picture(
    ben_client: FormClient, create_category: Callable[..., Category], ben: User
) -> None:
    top = create_category("Desk")
    photo = io.BytesIO()
    Image.new("RGB", (40, 30), "red").save(photo, "PNG")
    photo.seek(0)
    values = {"name": "Pens & <b>ink</b>", "parent": str(top.id), "is_active": "y", "picture": (photo, "a.png")}
    assert ben_client.post(f"{SHELVES}/categories/new", data=values).location == SHELVES
    category = db.session.scalars(sa.select(Category).where(Category.parent_id == top.id)).one()
    assert (category.slug, category.is_active, category.position) == ("pens-b-ink-b", True, 0)
    assert ben_client.get(f"/uploads/{category.picture}").status_code == 200
    page = ben_client.get(SHELVES).text
    assert "Pens &amp; &lt;b&gt;ink&lt;/b&gt;" in page
    assert page.index(f"category-{top.id}") < page.index(f"category-{category.id}")
    entry = db.session.scalars(sa.select(AuditEntry).where(AuditEntry.tag == "category.made")).one()
    assert (entry.actor_id, entry.subject_id) == (ben.id, category.id)
    submit(ben_client, category_url(category), remove_picture="y")
    assert category.picture is None


def test_a_category_cannot_be_moved_into_itself_or_its_subcategories(
    ben_client: FormClient, create_category: Callable[..., Category]
) -> None:
    top = create_category("Top")
    middle = create_category("Middle", top)
    bottom = create_category("Bottom", middle)
    for below in (middle, bottom):
        response = submit(ben_client, category_url(top), parent=str(below.id), name="Typed")
        assert response.status_code == 422
        assert error_of(response.text, "parent") == "A category can't be inside itself or one of its subcategories."
        assert 'value="Typed"' in response.text
    assert submit(ben_client, category_url(top), parent=str(top.id)).status_code == 422  # not among the choices
    assert top.parent_id is None
    assert submit(ben_client, category_url(bottom), parent="0").status_code == 302
    assert bottom.parent_id is None
    assert submit(ben_client, category_url(top), parent=str(bottom.id)).status_code == 302
    assert top.parent is bottom


def test_categories_are_nested_at_most_five_levels_deep(
    ben_client: FormClient, create_category: Callable[..., Category]
) -> None:
    deep = create_category("1")
    for number in range(2, 6):
        deep = create_category(str(number), deep)
    response = ben_client.post(f"{SHELVES}/categories/new", data={"name": "6", "parent": str(deep.id)})
    assert error_of(response.text, "parent") == "Categories can be nested up to 5 levels deep."
    tall = create_category("a")
    create_category("b", tall)
    assert deep.parent is not None
    response = submit(ben_client, category_url(tall), parent=str(deep.parent.id))
    assert error_of(response.text, "parent") == "Categories can be nested up to 5 levels deep."


def test_an_outdated_form_of_a_category_or_collection_is_refused(
    ben_client: FormClient, create_category: Callable[..., Category], create_collection: Callable[..., Collection]
) -> None:
    category, collection = create_category("Desk"), create_collection("Travel")
    for path, row in ((category_url(category), category), (f"{SHELVES}/collections/{collection.id}", collection)):
        slow = form_to(ben_client.get(path).text, "").values | {"description": "Typed slowly"}
        assert submit(ben_client, path, name="Quick").status_code == 302
        response = ben_client.post(path, data=slow, csrf=False)
        assert response.status_code == 422
        assert "This was changed elsewhere" in response.text
        assert "Typed slowly" in response.text
        assert (row.name, row.description) == ("Quick", "")


def test_categories_are_reordered_among_their_siblings(
    ben_client: FormClient, create_category: Callable[..., Category]
) -> None:
    names = ("A", "B", "C")
    rows = [create_category(name, position=place) for place, name in enumerate(names)]
    child = create_category("Below", rows[0], position=7)
    ben_client.post(f"{category_url(rows[2])}/move", data={"to": "up"})
    ben_client.post(f"{category_url(rows[0])}/move", data={"to": "up"})
    order = db.session.scalars(sa.select(Category.name).where(Category.parent_id.is_(None)).order_by(Category.position))
    assert list(order) == ["A", "C", "B"]
    assert child.position == 7


def test_collections_have_a_kind_and_a_unique_url(
    ben_client: FormClient, create_collection: Callable[..., Collection], product: Product
) -> None:
    there = create_collection("Travel")
    product.collections = [there]
    db.session.commit()
    path = f"{SHELVES}/collections/new"
    assert ben_client.post(path, data={"name": "Winter", "kind": "season", "is_active": "y"}).location == SHELVES
    collection = db.session.scalars(sa.select(Collection).where(Collection.name == "Winter")).one()
    assert (collection.kind, collection.slug) == (CollectionKind.SEASON, "winter")
    response = ben_client.post(path, data={"name": "Other", "kind": "theme", "slug": there.slug})
    assert error_of(response.text, "slug") == "This URL is already in use."
    assert error_of(ben_client.post(path, data={"name": "", "kind": "theme"}).text, "name") == "Enter a name."
    assert "Theme · 1 product" in words_of(ben_client.get(SHELVES).text)
    submit(ben_client, f"{SHELVES}/collections/{there.id}", is_active=[])
    assert not there.is_active
    assert product.collections == [there]


def test_the_first_category_of_a_level_cannot_move_up_nor_the_last_one_down(
    ben_client: FormClient, create_category: Callable[..., Category]
) -> None:
    top = create_category("Desk")
    names = [top.name, create_category("Pens", top).name, create_category("Ink", top).name, create_category("Car").name]
    page = ben_client.get(SHELVES).text
    buttons = re.findall(r'aria-label="Move (\w+ (?:up|down))"([^>]*)>', page)
    assert {label for label, _attributes in buttons} == {f"{name} {way}" for name in names for way in ("up", "down")}
    disabled = {label for label, attributes in buttons if attributes.endswith(" disabled")}
    assert disabled == {"Desk up", "Pens up", "Ink down", "Car down"}
