"""What is measured on a source, its responses and verdicts, and the tables that many make."""
