"""The cart: contents, prices, promotions, delivery, credit, wishlist."""
