"""Go's text templates, as far as Ollama's models use them."""
