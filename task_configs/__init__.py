"""Tasks for lm-eval, YAML and Python, and the factor taxonomy as data."""

from pathlib import Path

FOLDER = Path(__file__).parent
"""What ``lm_eval --include_path`` takes."""
