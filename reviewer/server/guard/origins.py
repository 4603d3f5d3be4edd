"""Whom a browser may speak for: the Host that it was told, and the pages that may call us from elsewhere."""

from __future__ import annotations

from fnmatch import fnmatchcase
from ipaddress import ip_address

# besides pages of this machine; Ollama allows the same to desktop programs
_PROGRAMS = ("app://*", "file://*", "tauri://*", "vscode-webview://*", "vscode-file://*")


def is_loopback(host: str) -> bool:
    """Tell whether a name or address is this machine's own."""
    plain = host.strip("[]").rstrip(".").lower()
    if plain == "localhost" or plain.endswith(".localhost"):
        return True
    try:
        return ip_address(plain).is_loopback
    except ValueError:
        return False


def host_of(header: str) -> str:
    """Take the port off a Host header."""
    if header.startswith("["):
        return header.partition("]")[0] + "]"
    return header.rpartition(":")[0] if header.rpartition(":")[2].isdigit() else header


def host_is_ours(header: str, listening: str, allowed: tuple[str, ...]) -> bool:
    """Tell whether a Host header names this server.

    A page of somebody's whose name leads to 127.0.0.1 (DNS rebinding) comes with that name. Where other machines
    may call, tokens guard, and names are checked only if the operator lists them.
    """
    host = host_of(header).lower()
    if any(fnmatchcase(host, each.lower()) for each in allowed):
        return True
    return is_loopback(host) if is_loopback(listening) else not allowed


def origin_is_allowed(origin: str, host: str, allowed: tuple[str, ...]) -> bool:
    """Tell whether a page may call us: our own page, one of this machine, or one that the operator lists."""
    scheme, mark, rest = origin.lower().partition("://")
    if not mark:
        return False  # "null", of sandboxes and redirects
    if rest == host.lower() or (scheme in ("http", "https") and is_loopback(host_of(rest))):
        return True
    return any(fnmatchcase(origin.lower(), each.lower()) for each in (*allowed, *_PROGRAMS))
