"""Where the bytes of a model may come from, one file per kind of source."""
