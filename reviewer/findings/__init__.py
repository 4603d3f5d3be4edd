"""Findings: those that need no model, and what becomes of all of them."""
