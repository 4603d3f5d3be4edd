"""Verbs that put something into words: a change, a remark."""
