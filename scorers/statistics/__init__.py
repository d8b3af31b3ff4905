"""Statistics of compared pairs: pure functions and frozen dataclasses on arrays; no harness."""
