"""Simulated annotators and graders, whose answers are known beforehand; evidence of no model.

``annotator`` writes and judges by weights, ``grader`` answers what ``grader_request`` reads back,
``provider`` makes both models of Inspect.
"""
