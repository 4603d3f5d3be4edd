"""The response cache: an `Engine` around an `Engine`, over memory, disk and Redis."""
