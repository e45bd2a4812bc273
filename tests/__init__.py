"""Test suite: each test is a sentence about one behavior, with a fixed cast of users."""
