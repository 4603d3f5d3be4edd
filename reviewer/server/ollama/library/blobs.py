"""/api/blobs: files that are sent before a model is made of them, by their digests."""

from __future__ import annotations

import hashlib
import os
import re
import tempfile
from functools import partial
from pathlib import Path

from starlette.requests import Request
from starlette.responses import Response

from hunkwise.engine import Library
from hunkwise.reviewer.server.errors import Refused
from hunkwise.reviewer.server.state import Server
from hunkwise.reviewer.server.threads import in_thread

_DIGEST = re.compile(r"sha256[:-]([0-9a-f]{64})", re.ASCII)


def _hex(digest: str) -> str:
    """Read a digest. Raises Refused."""
    match = _DIGEST.fullmatch(digest)
    if match is None:
        raise Refused(400, f"{digest[:100]!r} is no digest; write sha256: and 64 hex digits", param="digest")
    return match[1]


def blob_of(library: Library, digest: str) -> str:
    """Say where a blob of the own store lies, for a Modelfile. Raises Refused if it is not here."""
    path = library.store.blob_path(_hex(digest))
    if not path.is_file():
        raise Refused(
            400, f"the blob {digest[:100]} is not here; send it first: POST /api/blobs", param="files"
        )
    return str(path.absolute())


async def has_blob(server: Server, request: Request) -> Response:
    """Say whether a blob is here."""
    path = server.models.library.store.blob_path(_hex(request.path_params["digest"]))
    return Response(status_code=200 if await in_thread(path.is_file) else 404)


async def take_blob(server: Server, request: Request) -> Response:
    """Take a blob in, whole and as its digest says, or not at all."""
    library = server.models.library
    wanted = _hex(request.path_params["digest"])
    target = library.store.blob_path(wanted)
    if await in_thread(target.is_file):
        return Response(status_code=200)
    await in_thread(partial(target.parent.mkdir, parents=True, exist_ok=True))
    file = tempfile.NamedTemporaryFile(dir=target.parent, prefix=".blob-", delete=False)  # noqa: SIM115
    part, digest = Path(file.name), hashlib.sha256()
    try:
        with file:
            async for chunk in request.stream():
                digest.update(chunk)
                await in_thread(partial(file.write, chunk))
            await in_thread(partial(_flush, file.fileno()))
        if digest.hexdigest() != wanted:
            raise Refused(400, f"digest mismatch, expected sha256:{wanted}, got sha256:{digest.hexdigest()}")
        await in_thread(partial(_adopt, library, part, target))
    finally:
        await in_thread(partial(part.unlink, missing_ok=True))
    return Response(status_code=201)


def _flush(descriptor: int) -> None:
    os.fsync(descriptor)


def _adopt(library: Library, part: Path, target: Path) -> None:
    """Give a whole file its name."""
    with library.store.lock():
        part.chmod(0o644)
        part.replace(target)
        library.store.seals.note(target, target.name.removeprefix("sha256-"))
