"""Evaluation without a connection: requests are planned in files, and answers read from files."""
