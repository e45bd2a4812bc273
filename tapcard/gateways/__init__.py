"""Payment gateways: one class each; they see money and strings, never a request or a template."""
