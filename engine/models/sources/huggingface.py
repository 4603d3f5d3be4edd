"""Hugging Face: refs → tree → resolve, which tells a file's sha256 and size before a byte is fetched.

https://huggingface.co/docs/hub/api and https://huggingface.co/docs/hub/ollama (how names choose a file).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote, urlsplit

from hunkwise.engine.errors import DownloadFailed, ModelNotFound
from hunkwise.engine.models.sources.base import Item, Offer, Wanted
from hunkwise.engine.models.sources.fetch import PATIENT, DownloadPolicy, Refused, download, read
from hunkwise.engine.models.sources.partial import FreeSpace, Told, free_bytes
from hunkwise.engine.models.store.manifest import MODEL, Layer, read_json

ENDPOINT = "https://huggingface.co"
_YES = frozenset({"1", "true", "yes", "on"})
PREFERRED = ("Q4_K_M", "Q8_0")  # where a name asks for no quantization; as llama.cpp chooses
PAGES = 100  # of a repository's listing
_BESIDES = re.compile(r"mmproj|imatrix|mtp-|eagle3-|dflash-", re.IGNORECASE)  # no weights of their own
_SHARD = re.compile(r"-(\d{5})-of-(\d{5})\.gguf$", re.IGNORECASE | re.ASCII)
_QUANT = re.compile(r"(?:^|[-._/])((?:I?Q|TQ|MXFP)\d\w*|BF16|F16|F32)(?=[.-])", re.IGNORECASE | re.ASCII)
_NEXT = re.compile(r'<([^>]+)>;\s*rel="next"')
_SHA256 = re.compile(r"[0-9a-f]{64}", re.ASCII)


@dataclass(frozen=True, slots=True)
class RemoteFile:
    """A GGUF file of a repository."""

    path: str
    sha256: str
    size: int


class HuggingFaceSource:
    """A Hugging Face hub. `token` goes to the hub alone, never to the hosts it redirects to."""

    def __init__(
        self,
        endpoint: str = ENDPOINT,
        token: str = "",
        *,
        policy: DownloadPolicy = PATIENT,
        free: FreeSpace = free_bytes,
    ) -> None:
        self._endpoint = endpoint.rstrip("/")
        self._headers = {"Authorization": f"Bearer {token}"} if token else {}
        self._policy = policy
        self._free = free

    @property
    def label(self) -> str:
        """Name the hub."""
        return "Hugging Face" if self._endpoint == ENDPOINT else urlsplit(self._endpoint).netloc

    def offer(self, wanted: Wanted) -> Offer | None:
        """Offer the catalogue's file, or the one that `hf.co/user/repository[:quantization|:file]` means."""
        if wanted.entry is not None:
            return self._known(wanted)
        if not wanted.name.is_hugging_face:
            return None
        repository = f"{wanted.name.namespace}/{wanted.name.model}"
        commit = self._commit(repository)
        chosen = choose_files(tuple(self._files(repository, commit)), wanted.name.tag, repository)
        return Offer(
            tuple(
                Item(Layer(MODEL, file.sha256, file.size), self._address(repository, commit, file.path))
                for file in chosen
            )
        )

    def published(self, wanted: Wanted) -> dict[str, tuple[str, int]]:
        """List a repository: each quantization with the name that pulls it and its bytes, all shards counted.

        Empty if the name is no repository's. Raises ModelNotFound or DownloadFailed.
        """
        name, entry = wanted.name, wanted.entry
        if entry is not None and entry.huggingface is not None:
            repository = entry.huggingface.repository
        elif name.is_hugging_face:
            repository = f"{name.namespace}/{name.model}"
        else:
            return {}
        sizes = quantizations(tuple(self._files(repository, self._commit(repository))))
        return {quant: (f"hf.co/{repository}:{quant}", size) for quant, size in sizes.items()}

    def _known(self, wanted: Wanted) -> Offer | None:
        entry = wanted.entry
        if entry is None or entry.huggingface is None:
            return None
        place = self._address(entry.huggingface.repository, "main", entry.huggingface.file)
        return Offer((Item(Layer(MODEL, entry.sha256, entry.bytes), place),))

    def fetch(self, item: Item, target: Path, told: Told) -> None:
        """Download one file."""
        download(
            item.place,
            target,
            sha256=item.layer.digest,
            size=item.layer.size,
            headers=self._headers,
            told=told,
            policy=self._policy,
            free=self._free,
        )

    def _address(self, repository: str, commit: str, path: str) -> str:
        return f"{self._endpoint}/{quote(repository)}/resolve/{quote(commit, safe='')}/{quote(path)}"

    def _commit(self, repository: str) -> str:
        """Ask for the commit of the main branch, so that all shards are of one state."""
        refs = self._get(f"{self._endpoint}/api/models/{quote(repository)}/refs", repository)[0]
        branches = refs.get("branches") if isinstance(refs, dict) else None
        for branch in branches if isinstance(branches, list) else []:
            if isinstance(branch, dict) and branch.get("name") == "main":
                return str(branch.get("targetCommit"))
        raise ModelNotFound(f"{repository} has no main branch")

    def _files(self, repository: str, commit: str) -> Iterator[RemoteFile]:
        base = f"{self._endpoint}/api/models/{quote(repository)}/tree/{quote(commit, safe='')}"
        address = f"{base}?recursive=true"
        for _ in range(PAGES):
            listing, link = self._get(address, repository)
            if not isinstance(listing, list):
                raise DownloadFailed(f"the listing of {repository} is no list")
            yield from filter(None, map(_gguf, listing))
            following = _NEXT.search(link)
            if following is None:
                return
            if not following[1].startswith(f"{self._endpoint}/"):  # the token must not go elsewhere
                raise DownloadFailed(f"the listing of {repository} continues on another host")
            address = following[1]
        raise DownloadFailed(f"the listing of {repository} has more than {PAGES} pages")

    def _get(self, address: str, repository: str) -> tuple[object, str]:
        try:
            reply = read(address, headers=self._headers, policy=self._policy)
        except Refused as refused:
            if refused.status in {401, 403, 404}:  # the hub answers 401 for what does not exist, too
                raise ModelNotFound(
                    f"there is no repository {repository}, or it needs a token (HF_TOKEN): {refused}"
                ) from refused
            raise
        return read_json(reply.body, address), reply.headers.get("link", "")


def _gguf(entry: object) -> RemoteFile | None:
    """Read one entry of a tree; None for folders, other kinds of files, and what has no digest."""
    if not isinstance(entry, dict) or not isinstance(entry.get("lfs"), dict):
        return None
    path, digest, size = entry.get("path"), entry["lfs"].get("oid"), entry["lfs"].get("size")
    if not (isinstance(path, str) and isinstance(digest, str) and isinstance(size, int)):
        return None
    if not path.lower().endswith(".gguf") or not _SHA256.fullmatch(digest) or size <= 0:
        return None
    return RemoteFile(path, digest, size)


def choose_files(files: tuple[RemoteFile, ...], tag: str, repository: str) -> tuple[RemoteFile, ...]:
    """Choose the file that a tag means, with all its shards in order.

    A tag that ends in `.gguf` is a file's name; `latest` means the first of `PREFERRED` that is there, else
    the first file. Raises ModelNotFound naming the quantizations there are.
    """
    weights = sorted((file for file in files if not _BESIDES.search(file.path)), key=lambda file: file.path)
    firsts = [file for file in weights if _shard_number(file) in (None, 1)]
    if tag.lower().endswith(".gguf"):
        matching = [file for file in weights if file.path.rsplit("/", 1)[-1].lower() == tag.lower()]
    elif tag == "latest":
        matching = [f for quant in PREFERRED for f in firsts if _has(f, quant)] or firsts
    else:
        matching = [file for file in firsts if _has(file, tag)]
    if not matching:
        there = sorted({match[1].upper() for file in firsts if (match := _QUANT.search(file.path))})
        raise ModelNotFound(
            f"{repository} has no GGUF file for {tag!r}; it has: {', '.join(there) or 'no GGUF file at all'}"
        )
    return _shards(matching[0], weights)


def quantizations(files: tuple[RemoteFile, ...]) -> dict[str, int]:
    """Map each quantization to the bytes that a name with it as tag would pull; broken sets are left out."""
    found: dict[str, int] = {}
    for quant in sorted({match[1].upper() for file in files if (match := _QUANT.search(file.path))}):
        with suppress(ModelNotFound):
            found[quant] = sum(file.size for file in choose_files(files, quant, ""))
    return found


def _has(file: RemoteFile, quant: str) -> bool:
    return re.search(rf"(?:^|[-._/]){re.escape(quant)}[.-]", file.path, re.IGNORECASE) is not None


def _shard_number(file: RemoteFile) -> int | None:
    match = _SHARD.search(file.path)
    return int(match[1]) if match else None


def _shards(file: RemoteFile, weights: list[RemoteFile]) -> tuple[RemoteFile, ...]:
    match = _SHARD.search(file.path)
    if match is None:
        return (file,)
    stem = file.path[: match.start()]
    family = [f for f in weights if f.path.startswith(stem) and _SHARD.fullmatch(f.path, len(stem))]
    if len(family) != int(match[2]):
        raise ModelNotFound(f"{file.path} has {match[2]} shards and {len(family)} of them are there")
    return tuple(family)


def open_source(environ: Mapping[str, str]) -> HuggingFaceSource | None:
    """Open the hub that the variables name, with their token; none if they forbid it."""
    if environ.get("HF_HUB_OFFLINE", "").lower() in _YES:
        return None
    return HuggingFaceSource(environ.get("HF_ENDPOINT") or ENDPOINT, environ.get("HF_TOKEN", "").strip())
