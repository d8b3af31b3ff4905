"""Running lm-eval over this project's tasks: its command line, checks beforehand, answers kept."""
