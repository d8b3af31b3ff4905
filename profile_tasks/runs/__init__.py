"""Finished evaluations: reading them, replaying them, comparing two, and saying so in words."""
