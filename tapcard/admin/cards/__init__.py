"""Back office pages of cards and designs."""
