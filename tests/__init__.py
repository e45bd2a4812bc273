"""Tests: sentences about one behaviour each, with a cast."""
