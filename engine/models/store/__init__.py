"""A folder of models in Ollama's layout: blobs by digest, manifests by name."""
