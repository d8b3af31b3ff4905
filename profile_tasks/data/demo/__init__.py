"""Embedded demonstration data, written and labelled by this project."""
