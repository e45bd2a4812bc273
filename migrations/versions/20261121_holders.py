"""Add transfers, leads, previous profile URLs, two-factor authentication, addresses and account closure.

Revision: 20261121_holders
Follows: 20261120_foundation
"""

import sqlalchemy as sa
from alembic import op

revision = "20261121_holders"
down_revision = "20261120_foundation"


def upgrade() -> None:
    op.create_table(
        "addresses",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("user_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column("company", sa.String(length=100), nullable=False),
        sa.Column("line1", sa.String(length=100), nullable=False),
        sa.Column("line2", sa.String(length=100), nullable=False),
        sa.Column("city", sa.String(length=100), nullable=False),
        sa.Column("region", sa.String(length=100), nullable=False),
        sa.Column("postal_code", sa.String(length=20), nullable=False),
        sa.Column("country", sa.String(length=2), nullable=False),
        sa.Column("phone", sa.String(length=16), nullable=True),
        sa.Column("is_default", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.DateTime(), nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_addresses_user_id_users"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_addresses")),
    )
    with op.batch_alter_table("addresses", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_addresses_user_id"), ["user_id"], unique=False)

    op.create_table(
        "recovery_codes",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("user_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("code_hash", sa.String(length=64), nullable=False),
        sa.Column("used_at", sa.DateTime(), nullable=True),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name=op.f("fk_recovery_codes_user_id_users"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_recovery_codes")),
        sa.UniqueConstraint("user_id", "code_hash", name=op.f("uq_recovery_codes_user_id_code_hash")),
    )
    op.create_table(
        "two_factor",
        sa.Column("user_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("secret", sa.String(length=255), nullable=False),
        sa.Column("created_at", sa.DateTime(), nullable=False),
        sa.Column("confirmed_at", sa.DateTime(), nullable=True),
        sa.Column("last_step", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name=op.f("fk_two_factor_user_id_users"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("user_id", name=op.f("pk_two_factor")),
    )
    op.create_table(
        "former_slugs",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("slug", sa.String(length=25), nullable=False),
        sa.Column("profile_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("left_at", sa.DateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["profile_id"], ["profiles.id"], name=op.f("fk_former_slugs_profile_id_profiles"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_former_slugs")),
        sa.UniqueConstraint("slug", name=op.f("uq_former_slugs_slug")),
    )
    with op.batch_alter_table("former_slugs", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_former_slugs_profile_id"), ["profile_id"], unique=False)

    op.create_table(
        "leads",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("owner_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("profile_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("card_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("name", sa.String(length=60), nullable=False),
        sa.Column("email", sa.String(length=254), nullable=True),
        sa.Column("phone", sa.String(length=16), nullable=True),
        sa.Column("note", sa.String(length=500), nullable=False),
        sa.Column("consent_text", sa.String(length=500), nullable=False),
        sa.Column("created_at", sa.DateTime(), nullable=False),
        sa.CheckConstraint("email IS NOT NULL OR phone IS NOT NULL", name=op.f("ck_leads_reachable")),
        sa.ForeignKeyConstraint(["owner_id"], ["users.id"], name=op.f("fk_leads_owner_id_users")),
        sa.ForeignKeyConstraint(
            ["profile_id"], ["profiles.id"], name=op.f("fk_leads_profile_id_profiles"), ondelete="SET NULL"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_leads")),
    )
    with op.batch_alter_table("leads", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_leads_owner_id_created_at"), ["owner_id", "created_at"], unique=False)
        batch_op.create_index(batch_op.f("ix_leads_profile_id"), ["profile_id"], unique=False)

    op.create_table(
        "card_transfers",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("card_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("from_user_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("to_email", sa.String(length=254), nullable=False),
        sa.Column("to_user_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("created_at", sa.DateTime(), nullable=False),
        sa.Column("expires_at", sa.DateTime(), nullable=False),
        sa.Column("ended_at", sa.DateTime(), nullable=True),
        sa.Column(
            "outcome",
            sa.Enum(
                "accepted",
                "declined",
                "withdrawn",
                "expired",
                name="transferoutcome",
                native_enum=False,
                create_constraint=True,
                length=20,
            ),
            nullable=True,
        ),
        sa.CheckConstraint("(ended_at IS NULL) = (outcome IS NULL)", name=op.f("ck_card_transfers_ended_somehow")),
        sa.ForeignKeyConstraint(["card_id"], ["cards.id"], name=op.f("fk_card_transfers_card_id_cards")),
        sa.ForeignKeyConstraint(["from_user_id"], ["users.id"], name=op.f("fk_card_transfers_from_user_id_users")),
        sa.ForeignKeyConstraint(["to_user_id"], ["users.id"], name=op.f("fk_card_transfers_to_user_id_users")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_card_transfers")),
    )
    with op.batch_alter_table("card_transfers", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_card_transfers_card_id"), ["card_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_card_transfers_expires_at"), ["expires_at"], unique=False)
        batch_op.create_index(batch_op.f("ix_card_transfers_from_user_id"), ["from_user_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_card_transfers_to_email"), ["to_email"], unique=False)
        batch_op.create_index(batch_op.f("ix_card_transfers_to_user_id"), ["to_user_id"], unique=False)
        batch_op.create_index(
            "uq_card_transfers_open",
            ["card_id"],
            unique=True,
            sqlite_where=sa.text("ended_at IS NULL"),
            postgresql_where=sa.text("ended_at IS NULL"),
        )

    if op.get_bind().dialect.name == "sqlite":  # manual: Alembic would rebuild the table without its CHECK constraints
        key = "CONSTRAINT fk_cards_replaced_by_id_cards REFERENCES cards (id)"
        op.execute(f"ALTER TABLE cards ADD COLUMN replaced_by_id INTEGER {key}")
    else:
        op.add_column("cards", sa.Column("replaced_by_id", sa.BigInteger(), nullable=True))
        op.create_foreign_key("fk_cards_replaced_by_id_cards", "cards", "cards", ["replaced_by_id"], ["id"])
    op.create_index("ix_cards_replaced_by_id", "cards", ["replaced_by_id"])
    op.add_column("users", sa.Column("password_set_at", sa.DateTime(), nullable=True))
    op.add_column("users", sa.Column("closed_at", sa.DateTime(), nullable=True))
    op.add_column("users", sa.Column("erased_at", sa.DateTime(), nullable=True))
    op.add_column("users", sa.Column("wants_lead_mail", sa.Boolean(), server_default=sa.true(), nullable=False))
    op.add_column("users", sa.Column("wants_weekly_mail", sa.Boolean(), server_default=sa.false(), nullable=False))
    op.add_column("users", sa.Column("weekly_mail_on", sa.Date(), nullable=True))
    op.create_index("ix_users_closed_at", "users", ["closed_at"])
    op.create_index("ix_tap_hours_owner_id_hour_at", "tap_hours", ["owner_id", "hour_at"])


def downgrade() -> None:
    raise NotImplementedError("migrations only go forward; restore a backup instead")
