"""A repository over git's own HTTP, for who sends a password."""

from __future__ import annotations

import base64
import subprocess
from http.server import BaseHTTPRequestHandler
from pathlib import Path

from gits import ENVIRONMENT


def answer_git(handler: BaseHTTPRequestHandler, prefix: str, repository: Path) -> str:
    """Answer a request below `prefix` from a repository, and give what was sent as user and password."""
    given = handler.headers.get("Authorization", "")
    if not given:
        handler.send_response(401)
        handler.send_header("WWW-Authenticate", 'Basic realm="git"')
        handler.send_header("Content-Length", "0")
        handler.end_headers()
        return ""
    path, _, query = handler.path.partition("?")
    body = handler.rfile.read(int(handler.headers.get("Content-Length") or 0))
    environ = {
        **ENVIRONMENT,
        "GIT_PROJECT_ROOT": str(repository),
        "GIT_HTTP_EXPORT_ALL": "1",
        "PATH_INFO": path.removeprefix(prefix).replace("/", "/.git/", 1),
        "QUERY_STRING": query,
        "REQUEST_METHOD": handler.command,
        "CONTENT_TYPE": handler.headers.get("Content-Type", ""),
        "CONTENT_LENGTH": str(len(body)),
        "HTTP_CONTENT_ENCODING": handler.headers.get("Content-Encoding", ""),
        "GIT_PROTOCOL": handler.headers.get("Git-Protocol", ""),
    }
    done = subprocess.run(["git", "http-backend"], env=environ, input=body, capture_output=True, check=True)
    head, _, content = done.stdout.partition(b"\r\n\r\n")
    handler.send_response(200)
    for line in head.decode().splitlines():
        name, _, value = line.partition(": ")
        handler.send_header(name, value)
    handler.send_header("Content-Length", str(len(content)))
    handler.end_headers()
    handler.wfile.write(content)
    return base64.b64decode(given.partition(" ")[2]).decode()
