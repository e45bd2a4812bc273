"""Payment page of the sandbox gateway, with a button for each possible outcome."""

from typing import Any

from flask import abort, flash, redirect, render_template, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from ..gateways import sandbox
from ..models import SandboxCharge
from ..money import Money
from ..web.access import PUBLIC, access
from ..web.forms import Form
from ..workflows import payments as payment_workflows
from .blueprint import bp

ACTIONS = ("pay", "secure", "confirm", "decline", "delay", "duplicate", "never", "back")


def charge_or_404(public_id: str) -> Any:
    """Return the charge of a URL, or fail with 404 if it or the sandbox doesn't exist."""
    charge = sandbox.read(SandboxCharge.public_id == public_id) if "sandbox" in payment_workflows.gateways() else None
    if charge is None:
        abort(404)
    return charge


@bp.get("/sandbox/<public_id>", endpoint="sandbox")
@access(PUBLIC)
def sandbox_page(public_id: str) -> str:
    """Show the payment page."""
    charge = charge_or_404(public_id)
    return render_template(
        "billing/sandbox.html",
        charge=charge,
        amount=Money(charge.amount, charge.currency),
        is_open=charge.state in sandbox.PAYABLE and charge.pays_at is None,
    )


@bp.post("/sandbox/<public_id>/<action>", endpoint="sandbox_action")
@access(PUBLIC)
def sandbox_action(public_id: str, action: str) -> Response:
    """Apply the action of a button and redirect like a gateway."""
    charge = charge_or_404(public_id)
    if action not in ACTIONS or not Form().validate():
        abort(404)
    condition = SandboxCharge.public_id == public_id
    if action == "secure":
        sandbox.change(condition, sandbox.SECURING)
        return redirect(url_for("billing.sandbox", public_id=public_id))
    if action == "never":
        sandbox.change(condition, sandbox.SILENT)
        flash(_("No response sent. The shop won't hear about this payment."), "info")
        return redirect(url_for("billing.sandbox", public_id=public_id))
    if action in ("pay", "confirm", "duplicate"):
        sandbox.change(condition, sandbox.PAID)
    elif action == "decline":
        sandbox.change(condition, sandbox.DECLINED)
    elif action == "delay":
        sandbox.change(condition, sandbox.OPEN, delayed=True)
    if action == "duplicate":  # gateways may send a notification twice
        payment_workflows.refresh_by_reference("sandbox", charge.reference)
        payment_workflows.refresh_by_reference("sandbox", charge.reference)
    return redirect(charge.return_url)
