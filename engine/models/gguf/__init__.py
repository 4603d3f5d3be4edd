"""Reads GGUF files that anybody may have made."""
