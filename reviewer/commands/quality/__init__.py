"""Verbs that measure reviews on labelled changes."""
