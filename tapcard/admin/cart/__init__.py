"""Back office pages of promotions, delivery, currencies and credit."""
