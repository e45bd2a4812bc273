"""Payment gateways, one class each; they exchange amounts and strings, never requests or templates."""
