"""Factors: interpretable properties of a response (text -> value -> manifestation)."""
