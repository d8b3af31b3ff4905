"""Simulated annotators and graders, whose answers are known beforehand; evidence of no model."""
