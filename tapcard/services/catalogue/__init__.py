"""The catalogue: products, categories, options, search, reviews."""
