"""Ollama's registry, and others that speak its protocol: OCI distribution with Ollama's media types.

https://github.com/opencontainers/distribution-spec and https://distribution.github.io/distribution/spec/auth/token
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import quote, urlencode, urlsplit

from hunkwise.engine.errors import CorruptModel, DownloadFailed, ModelNotFound
from hunkwise.engine.models.sources.base import Item, Offer, Wanted
from hunkwise.engine.models.sources.fetch import PATIENT, DownloadPolicy, Refused, Reply, download, read
from hunkwise.engine.models.sources.partial import FreeSpace, Told, free_bytes
from hunkwise.engine.models.store.manifest import (
    LIMIT,
    MANIFEST_TYPE,
    MODEL,
    TENSOR,
    Layer,
    parse_manifest,
    read_json,
)

_FIELD = re.compile(r'(\w+)="([^"]*)"', re.ASCII)


class RegistrySource:
    """Pulls a name from the registry that its host part names. Public models only: it has no keys to show."""

    def __init__(self, *, policy: DownloadPolicy = PATIENT, free: FreeSpace = free_bytes) -> None:
        self._policy = policy
        self._free = free
        self._tokens: dict[str, str] = {}  # repository address -> Authorization header of a bearer challenge

    @property
    def label(self) -> str:
        """Name the kind of source; messages name the host."""
        return "registry"

    def offer(self, wanted: Wanted) -> Offer | None:
        """Read the manifest. Names of the catalogue are not asked for: only their digest counts."""
        name = wanted.name
        if wanted.entry is not None or name.is_hugging_face:
            return None
        base = f"{name.scheme}://{name.host}/v2/{quote(name.namespace)}/{quote(name.model)}"
        try:
            reply = self._read(f"{base}/manifests/{quote(name.tag)}", base)
        except Refused as refused:
            if refused.status in {401, 403, 404}:
                raise ModelNotFound(f"there is no public model {name} ({refused})") from refused
            raise
        manifest = parse_manifest(reply.body, f"the manifest of {name}")
        if manifest.of_type(TENSOR) or not manifest.of_type(MODEL):
            raise ModelNotFound(f"{name} holds no GGUF weights; choose a model that does")
        place = f"{base}/blobs/sha256:"
        return Offer(
            tuple(Item(layer, place + layer.digest) for layer in manifest.layers),
            Item(manifest.config, place + manifest.config.digest) if manifest.config else None,
        )

    def fetch(self, item: Item, target: Path, told: Told) -> None:
        """Download one blob; a token that ran out is renewed once."""
        base = item.place.partition("/blobs/")[0]
        try:
            self._download(item, target, self._authorization(base), told)
        except Refused as refused:
            if refused.status != 401:
                raise
            self._answer(refused, base)
            self._download(item, target, self._authorization(base), told)

    def _download(self, item: Item, target: Path, headers: Mapping[str, str], told: Told) -> None:
        layer: Layer = item.layer
        download(
            item.place,
            target,
            sha256=layer.digest,
            size=layer.size,
            headers=headers,
            told=told,
            policy=self._policy,
            free=self._free,
        )

    def _authorization(self, base: str) -> dict[str, str]:
        return {"Authorization": self._tokens[base]} if base in self._tokens else {}

    def _read(self, address: str, base: str) -> Reply:
        headers = {"Accept": MANIFEST_TYPE}
        try:
            return read(
                address, headers=headers | self._authorization(base), limit=LIMIT, policy=self._policy
            )
        except Refused as refused:
            if refused.status != 401 or not self._answer(refused, base):
                raise
        return read(address, headers=headers | self._authorization(base), limit=LIMIT, policy=self._policy)

    def _answer(self, refused: Refused, base: str) -> bool:
        """Get the anonymous token that a 401 asks for; False if it asks for something else.

        A realm on another host must be https: what it hands out opens the registry.
        """
        challenge = refused.headers.get("www-authenticate", "")
        fields = dict(_FIELD.findall(challenge))
        realm = fields.get("realm", "")
        if not challenge.lower().startswith("bearer ") or not realm:
            return False
        there = urlsplit(realm)
        if there.scheme != "https" and there.netloc != urlsplit(base).netloc:
            raise DownloadFailed(
                f"{urlsplit(base).netloc} sends us for a token to {realm!r}, which is not https"
            )
        query = urlencode({key: fields[key] for key in ("service", "scope") if key in fields})
        address = f"{realm}{'&' if there.query else '?'}{query}" if query else realm
        body = read_json(read(address, limit=1 << 20, policy=self._policy).body, realm)
        token = body.get("token") or body.get("access_token") if isinstance(body, dict) else None
        if not isinstance(token, str) or not token.isascii() or not token.isprintable():
            raise CorruptModel(f"{there.netloc} sent no usable token")
        self._tokens[base] = f"Bearer {token}"
        return True


def open_source(environ: Mapping[str, str]) -> RegistrySource:
    """Open it; a model's name has the host."""
    return RegistrySource()
