"""Make `cards.order_line_id` a plain column, because the models of cards come before those of orders.

Revision: 20261201_card_order_line
Follows: 20261201_search_text
"""

from alembic import op

revision = "20261201_card_order_line"
down_revision = "20261201_search_text"

FOREIGN_KEY = "fk_cards_order_line_id_order_lines"
# SQLite does not tell the names of keys that were added with their column
NAMES = {"fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s"}


def upgrade() -> None:
    with op.batch_alter_table("cards", naming_convention=NAMES) as batch:
        batch.drop_constraint(FOREIGN_KEY, type_="foreignkey")


def downgrade() -> None:
    raise NotImplementedError("migrations only go forward; restore a backup instead")
