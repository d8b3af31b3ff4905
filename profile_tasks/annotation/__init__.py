"""Asking people which of two texts is better: projects for annotation tools, and what came back."""
