"""Engines on other machines: another hunkwise, vLLM, SGLang, llama-server, Ollama, and what speaks OpenAI's API.

A backend (`backends/`) is what one kind of server can do; `remote.py` makes an engine of it, `connect.py` finds
out what a server is and can, and `balance.py` makes one engine of several.
"""

from hunkwise.engine.http import protocol

__all__ = ["protocol"]
