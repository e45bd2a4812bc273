"""Add indexes for the default order of product lists and for filter counts.

Revision: 20261130_lists
Follows: 20261125_shop
"""

from alembic import op

revision = "20261130_lists"
down_revision = "20261125_shop"

FEATURED = ["is_active", "is_featured", "created_at", "id"]
COUNTED = ["is_active", "category_id", "availability", "stock", "discount_percent"]


def upgrade() -> None:
    op.create_index("ix_products_featured", "products", FEATURED)
    op.create_index("ix_products_counted", "products", COUNTED)


def downgrade() -> None:
    raise NotImplementedError("migrations only go forward; restore a backup instead")
