"""Models at rest: Modelfiles, names, the store, and where weights come from."""
