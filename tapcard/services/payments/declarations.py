"""Declarations of payments: permissions, uploads, personal data."""

from flask_babel import lazy_gettext as _

from ...registry import declare_audit_labels, declare_other_columns, declare_permissions

declare_permissions("payments.confirm")
declare_other_columns(
    {
        "payments": ("gateway", "public_id", "reference", "currency"),
        "sandbox_charges": ("reference", "public_id", "currency", "description", "return_url", "state"),
    }
)
declare_audit_labels(
    actions={
        "payment.confirmed": _("Payment recorded"),
        "payment.dismissed": _("Payment resolved"),
        "payment.mismatched": _("Payment amount didn't match"),
        "payment.succeeded": _("Payment received"),
    },
    objects={
        "payments": _("Payment"),
    },
)
