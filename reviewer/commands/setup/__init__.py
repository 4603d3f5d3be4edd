"""Verbs that set hunkwise up, and say how it is set up."""
