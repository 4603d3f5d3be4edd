"""Titles of a change that are all true: the most telling first, or the one that a model finds likeliest."""
