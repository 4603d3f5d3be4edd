"""Reads Modelfiles as Ollama has them."""
