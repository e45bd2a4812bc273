"""Back office pages of content."""
