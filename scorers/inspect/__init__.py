"""The Inspect scorers and metrics: thin skins over measurement and statistics."""
