"""What ``import profile_tasks`` offers in Python: profiles, runs, comparisons and judges.

Each function gives one ``Result``: tidy rows, a table for a notebook or a terminal, and a figure.
"""
