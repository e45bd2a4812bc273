"""Normalize the searched text of products: accents, German and Scandinavian letters.

Revision: 20261201_search_text
Follows: 20261130_sold
"""

import unicodedata

import sqlalchemy as sa
from alembic import op

revision = "20261201_search_text"
down_revision = "20261130_sold"

BATCH_SIZE = 500
FOLDED = str.maketrans({"æ": "ae", "œ": "oe", "ø": "o", "đ": "d", "ð": "d", "þ": "th", "ł": "l", "ı": "i"})
SPELLED_OUT = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "å": "aa", "ø": "oe"})
COLUMNS = ("name", "promo_text", "color", "material", "size", "sku")
PRODUCTS = sa.table(
    "products", sa.column("id", sa.BigInteger), sa.column("search_text", sa.Text), *map(sa.column, COLUMNS)
)


def upgrade() -> None:
    connection, last_id = op.get_bind(), 0
    statement = (
        sa.update(PRODUCTS).where(PRODUCTS.c.id == sa.bindparam("row_id")).values(search_text=sa.bindparam("text"))
    )
    while True:
        query = sa.select(PRODUCTS.c.id, *(PRODUCTS.c[name] for name in COLUMNS)).where(PRODUCTS.c.id > last_id)
        rows = connection.execute(query.order_by(PRODUCTS.c.id).limit(BATCH_SIZE)).all()
        if not rows:
            return
        last_id = rows[-1].id
        connection.execute(
            statement, [{"row_id": row.id, "text": index("\n".join(text or "" for text in row[1:]))} for row in rows]
        )


def index(text: str) -> str:
    composed = unicodedata.normalize("NFC", text).casefold()
    folded, spelled_out = normalize(composed), normalize(composed.translate(SPELLED_OUT))
    return folded if spelled_out == folded else f"{folded}\n{spelled_out}"


def normalize(text: str) -> str:
    decomposed = unicodedata.normalize("NFKD", text.casefold().translate(FOLDED))
    return "".join(character for character in decomposed if not unicodedata.combining(character)).casefold()


def downgrade() -> None:
    raise NotImplementedError("migrations only go forward; restore a backup instead")
