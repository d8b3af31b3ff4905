"""Grading: which requests a source needs, how a grader is asked, what is kept of its answers."""
