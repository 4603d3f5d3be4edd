"""Measuring reviews on labelled changes."""
