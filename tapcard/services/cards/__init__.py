"""Cards: claims, targets, transfers, designs."""
