"""The Inspect tasks beside the three of the method, and what all of them share."""
