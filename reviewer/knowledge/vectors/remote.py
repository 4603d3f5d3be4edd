"""Vectors in Qdrant: a server by its URL, or the client's own local mode in a folder."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any
from uuid import UUID

from hunkwise.engine.errors import MissingExtra
from hunkwise.reviewer.errors import KnowledgeError, UsageError
from hunkwise.reviewer.knowledge.vectors.port import Key, Vector

_SECONDS = 30
_ROOM = 8  # times as many are asked for as are wanted, since those of other folders lie beside them


class QdrantVectors:
    """See the port `Vectors`. Each embedder has a collection of its own; points are named by keys."""

    def __init__(self, address: str, name: str, *, token: str = "") -> None:
        try:
            import qdrant_client
            from qdrant_client.http.exceptions import UnexpectedResponse
        except ModuleNotFoundError:
            raise MissingExtra("qdrant_client", "qdrant") from None
        _check(address, token)
        self._answered = UnexpectedResponse
        self._address = address
        self._collection = f"hunkwise-{hashlib.sha256(name.encode()).hexdigest()[:32]}"
        with self._told():
            self._client: Any = (
                qdrant_client.QdrantClient(
                    url=address,
                    metadata={"api-key": token}
                    if token
                    else {},  # as `api_key` it warns of http:// in two lines
                    timeout=_SECONDS,
                    check_compatibility=False,
                )
                if "://" in address
                else qdrant_client.QdrantClient(path=address)
            )
            self._there: bool = self._client.collection_exists(self._collection)

    def known(self, keys: Sequence[Key]) -> set[Key]:
        """Give those of the keys that have a vector."""
        if not self._there or not keys:
            return set()
        with self._told():
            found = self._client.retrieve(self._collection, [_point(key) for key in keys], with_payload=False)
            return {_key(each.id) for each in found}

    def put(self, vectors: Sequence[tuple[Key, Vector]]) -> None:
        """Keep vectors."""
        if not vectors:
            return
        from qdrant_client import models

        with self._told():
            if not self._there:
                self._create(len(vectors[0][1]))
            points = [models.PointStruct(id=_point(key), vector=list(vector)) for key, vector in vectors]
            self._client.upsert(self._collection, points, wait=True)

    def nearest(self, asked: Vector, keys: Iterable[Sequence[Key]], limit: int) -> list[Key]:
        """Give those of the keys whose vectors are nearest, as far as they are among the nearest of all."""
        if not self._there:
            return []
        with self._told():
            found = self._client.query_points(
                self._collection, query=list(asked), limit=limit * _ROOM, with_payload=False
            )
            order = [_key(point.id) for point in found.points]
        wanted = set(order)
        there = {key for batch in keys for key in batch if key in wanted}
        return [key for key in order if key in there][:limit]

    def close(self) -> None:
        """Close the connection."""
        self._client.close()

    def _create(self, size: int) -> None:
        from qdrant_client import models

        shape = models.VectorParams(size=size, distance=models.Distance.DOT, datatype=models.Datatype.FLOAT16)
        try:
            self._client.create_collection(self._collection, vectors_config=shape)
        except Exception:
            if not self._client.collection_exists(self._collection):  # else another process was first
                raise
        self._there = True

    @contextmanager
    def _told(self) -> Iterator[None]:
        """Say in a KnowledgeError what Qdrant or the way to it refuses."""
        try:
            yield
        except self._answered as error:
            raise KnowledgeError(f"Qdrant at {self._address} {_refusal(error)}") from None
        except Exception as error:  # noqa: BLE001 - the client raises errors of three libraries
            first = (str(error).strip() or type(error).__name__).splitlines()[0]
            raise KnowledgeError(f"Qdrant at {self._address} does not answer: {first:.200}") from None


def _check(address: str, token: str) -> None:
    """Refuse what would end up in a message. Raises UsageError."""
    if "@" in address.partition("://")[2].partition("/")[0]:
        raise UsageError("HUNKWISE_QDRANT_URL can't hold a password; set HUNKWISE_QDRANT_TOKEN")
    if not re.fullmatch(r"[!-~]*", token):
        raise UsageError("HUNKWISE_QDRANT_TOKEN has a blank or another sign that no token has")


def _refusal(error: Any) -> str:
    """Say what a status means, with the server's reason on one line."""
    if error.status_code in (401, 403):
        return f"refuses the token ({error.status_code}); set HUNKWISE_QDRANT_TOKEN"
    try:
        reason = str(json.loads(error.content)["status"]["error"])
    except (ValueError, LookupError, TypeError):
        reason = error.reason_phrase
    return f"answers {error.status_code}: {' '.join(reason.split()):.200}"


def _point(key: Key) -> str:
    return str(UUID(bytes=key))


def _key(point: object) -> Key:
    return UUID(str(point)).bytes
