"""The ways money comes in: one small class each; they see money and strings, never a request or a template."""
