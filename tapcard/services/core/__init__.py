"""Rules that every other subject builds on."""
