"""The tree of visible categories, as product lists and menus show it."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, fields
from functools import cached_property
from typing import Any

from sqlalchemy import select

from ...db import db
from ...models import Category, Product


@dataclass(frozen=True)
class CategoryNode:
    """A visible category."""

    id: int
    parent_id: int | None
    name: str
    slug: str
    description: str
    picture: str | None
    has_products: bool  # in the category itself, subcategories not counted
    depth: int = 0


NODE_COLUMNS = tuple(field.name for field in fields(CategoryNode) if field.name != "depth")


class CategoryTree:
    """The tree of categories; a hidden category hides all its descendants."""

    def __init__(self, rows: Iterable[Any]) -> None:
        rows_by_parent: dict[int | None, list[Any]] = defaultdict(list)
        self.ids = set()
        for row in rows:
            rows_by_parent[row.parent_id].append(row)
            self.ids.add(row.id)
        self.visible: dict[int, CategoryNode] = {}  # by id, depth first: children right after their parent
        self._children: dict[int | None, list[CategoryNode]] = defaultdict(list)
        self._add_children(rows_by_parent, None, 0)

    def _add_children(self, rows_by_parent: Mapping[int | None, list[Any]], parent_id: int | None, depth: int) -> None:
        for row in rows_by_parent.get(parent_id, ()):
            if row.is_active:
                node = CategoryNode(**{name: getattr(row, name) for name in NODE_COLUMNS}, depth=depth)
                self.visible[node.id] = node
                self._children[parent_id].append(node)
                self._add_children(rows_by_parent, row.id, depth + 1)

    @cached_property
    def by_slug(self) -> dict[str, CategoryNode]:
        """Return the visible categories by slug."""
        return {node.slug: node for node in self.visible.values()}

    @property
    def hidden_ids(self) -> set[int]:
        """Return the ids of the categories that are not visible."""
        return self.ids - self.visible.keys()

    def children(self, category: CategoryNode | None) -> list[CategoryNode]:
        """Return the subcategories of a category, or the top-level categories."""
        return self._children.get(category.id if category is not None else None, [])

    def subtree_ids(self, category: CategoryNode) -> Iterator[int]:
        """Yield the ids of a category and of all its descendants."""
        yield category.id
        for child in self.children(category):
            yield from self.subtree_ids(child)

    def with_products(self, category: CategoryNode | None = None) -> list[CategoryNode]:
        """Return the children of a category, or the top-level ones, that have products in their subtree."""
        return [
            child
            for child in self.children(category)
            if any(self.visible[category_id].has_products for category_id in self.subtree_ids(child))
        ]

    def path(self, category_id: int | None) -> list[CategoryNode]:
        """Return the categories from the top down to one; empty when it is hidden."""
        nodes: list[CategoryNode] = []
        node = self.visible.get(category_id) if category_id is not None else None
        while node is not None:
            nodes.insert(0, node)
            node = self.visible.get(node.parent_id) if node.parent_id is not None else None
        return nodes


def load() -> CategoryTree:
    """Return the tree of visible categories; executes one statement."""
    columns = [getattr(Category, name) for name in (*NODE_COLUMNS[:-1], "is_active")]
    products = select(Product.id).where(Product.category_id == Category.id, Product.is_active).correlate(Category)
    query = select(*columns, products.exists().label("has_products"))
    return CategoryTree(db.session.execute(query.order_by(Category.position, Category.name, Category.id)))
