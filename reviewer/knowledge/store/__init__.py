"""The index on disk: one SQLite file for each folder that is indexed."""
