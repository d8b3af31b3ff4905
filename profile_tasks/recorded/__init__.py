"""Recorded judges and writers: as a model of Inspect's, and replayed into logs. Nobody is asked."""
