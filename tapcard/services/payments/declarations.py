"""Declarations of payments: permissions, uploads, personal data."""

from ...registry import declare_other_columns, declare_permissions

declare_permissions("payments.confirm")
declare_other_columns(
    {
        "payments": ("gateway", "public_id", "reference", "currency"),
        "sandbox_charges": ("reference", "public_id", "currency", "description", "return_url", "state"),
    }
)
