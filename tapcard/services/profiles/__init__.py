"""Profiles: pages, links, contact details, leads."""
