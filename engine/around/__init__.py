"""Engines around an engine: the same port, with a cache or a pool."""
