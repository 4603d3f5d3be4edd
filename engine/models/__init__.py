"""The registry of models: names, manifests, stores, and where weights come from."""
