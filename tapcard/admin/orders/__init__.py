"""Back office pages of orders."""
