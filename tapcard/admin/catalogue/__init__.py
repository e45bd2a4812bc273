"""Back office pages of the catalogue."""
