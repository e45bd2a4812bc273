"""Content: pages, newsletter, enquiries."""
