"""Data that configures the measurement: the factor taxonomy and, later, harness task files."""
