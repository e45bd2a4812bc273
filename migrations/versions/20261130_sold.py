"""Store the design's name and open delivery prices with orders, and the customer with promotion uses.

Revision: 20261130_sold
Follows: 20261130_lists
"""

import sqlalchemy as sa
from alembic import op

revision = "20261130_sold"
down_revision = "20261130_lists"

NAMED = """
UPDATE order_lines SET design_name = (SELECT name FROM designs WHERE designs.id = order_lines.design_id)
WHERE design_id IS NOT NULL
"""
OPEN = """
UPDATE orders SET is_delivery_open = :yes
WHERE delivery_method_id IN (SELECT id FROM delivery_methods WHERE kind = 'to_be_agreed')
   OR (delivery_method_id IS NULL
       AND EXISTS (SELECT 1 FROM order_lines WHERE order_lines.order_id = orders.id AND kind <> 'activation'))
"""


def upgrade() -> None:
    op.add_column("order_lines", sa.Column("design_name", sa.String(50), server_default="", nullable=False))
    op.add_column("orders", sa.Column("is_delivery_open", sa.Boolean(), server_default=sa.false(), nullable=False))
    op.add_column("orders", sa.Column("promotion_customers", sa.JSON(), server_default="[]", nullable=False))
    op.execute(NAMED)
    op.execute(sa.text(OPEN).bindparams(sa.bindparam("yes", True, sa.Boolean())))


def downgrade() -> None:
    raise NotImplementedError("migrations only go forward; restore a backup instead")
