"""Command line interface: `flask --app wsgi …`, one module per topic."""
