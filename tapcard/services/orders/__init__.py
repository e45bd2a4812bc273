"""Orders: checkout, placement, transitions, production, fulfilment."""
