"""A subject outside the application, for `tests/test_subjects.py`: everything a subject can declare, once."""
