"""Recorded preferences: files, row rules, sources, public sets and the demonstration data."""
