"""The store is Ollama's on disk, and believes nothing it reads."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys

import pytest

from hunkwise.engine.errors import CorruptModel, ModelNotFound, StoreError
from hunkwise.engine.models.names import parse_name
from hunkwise.engine.models.store.manifest import CONFIG_TYPE, MODEL, SYSTEM, Layer, Manifest, parse_manifest
from hunkwise.engine.models.store.store import Store

NAME = parse_name("tiny:1b")
DIGEST = "sha256:" + "a" * 64


@pytest.fixture
def store(tmp_path):
    return Store(tmp_path / "models")


def add(store, name, *texts):
    """A model made of texts."""
    layers = tuple(store.add_bytes(MODEL, text.encode()) for text in texts)
    store.add_manifest(parse_name(name), Manifest(layers, store.add_bytes(CONFIG_TYPE, b"{}")))


def test_layout(store):
    """Manifests and blobs lie where Ollama looks for them, with the fields it reads."""
    with store.lock():
        add(store, "tiny:1b", "weights")
    path = store.root / "manifests/registry.ollama.ai/library/tiny/1b"
    digest = hashlib.sha256(b"weights").hexdigest()
    config = hashlib.sha256(b"{}").hexdigest()
    assert json.loads(path.read_bytes()) == {
        "schemaVersion": 2,
        "mediaType": "application/vnd.docker.distribution.manifest.v2+json",
        "config": {
            "mediaType": "application/vnd.docker.container.image.v1+json",
            "digest": f"sha256:{config}",
            "size": 2,
        },
        "layers": [
            {"mediaType": "application/vnd.ollama.image.model", "digest": f"sha256:{digest}", "size": 7}
        ],
    }
    assert (store.root / "blobs" / f"sha256-{digest}").read_bytes() == b"weights"
    assert path.stat().st_mode & 0o777 == 0o644


def test_round_trip(store):
    """A manifest is read as it was written, an adapter's scale included."""
    manifest = Manifest((Layer(MODEL, "a" * 64, 3), Layer(SYSTEM, "b" * 64, 4, 0.5)))
    store.add_manifest(NAME, manifest)
    assert store.manifest(NAME) == manifest


def test_absent(store):
    """A store that is not there is empty."""
    assert store.names() == ()
    assert store.manifest(NAME) is None
    assert not store.has(NAME)


def test_names(store):
    """Names are sorted; what can't be a name, or is a temporary file, is passed over."""
    for name in ("tiny:2b", "tiny:1b", "user/other:latest", "localhost:5000/a/b:c"):
        add(store, name, "weights")
    folder = store.root / "manifests/registry.ollama.ai/library/tiny"
    (folder / ".tmp123").write_bytes(b"")
    (folder / "has space").write_bytes(b"")
    (folder / "folder").mkdir()
    assert [name.short() for name in store.names()] == [
        "localhost:5000/a/b:c",
        "tiny:1b",
        "tiny:2b",
        "user/other:latest",
    ]


def layer(digest=DIGEST, size=1, kind="m", **more):
    """A manifest with one layer."""
    return {"layers": [{"mediaType": kind, "digest": digest, "size": size, **more}]}


@pytest.mark.parametrize(
    "value",
    [
        [],
        None,
        {},
        {"layers": {}},
        {"layers": [7]},
        {"layers": [], "config": 3},
        layer(kind=1),
        layer(digest="sha256:../../../etc/passwd"),
        layer(digest=f"sha256:{'a' * 62}/x"),
        layer(digest=DIGEST + "\n"),
        layer(digest=None),
        layer(size=-1),
        layer(size=True),
        layer(size="1"),
        layer(size=1e9),
        layer(annotations={"dev.hunkwise.scale": []}),
    ],
)
def test_hostile_manifest(value):
    """A manifest with wrong types, sizes or digests is refused, and named."""
    with pytest.raises(CorruptModel, match=r"^here: "):
        parse_manifest(json.dumps(value).encode(), "here")


@pytest.mark.parametrize(
    "data", [b"", b"not json", b"\xff\xfe\xfa", b"[" * 100_000, b'{"layers": ' + b"9" * 5000 + b"}"]
)
def test_no_json(data):
    """What is no JSON, or JSON made to hurt, is refused, and named."""
    with pytest.raises(CorruptModel, match=r"^here: "):
        parse_manifest(data, "here")


def test_endless_manifest(store):
    """A manifest of many megabytes is not taken in."""
    add(store, "tiny:1b", "weights")
    (store.root / "manifests/registry.ollama.ai/library/tiny/1b").write_bytes(b" " * (5 << 20))
    with pytest.raises(CorruptModel, match="more than"):
        store.manifest(NAME)


def test_linked_manifest(store, tmp_path):
    """A manifest that is a link, or lies behind one, is not followed out of the store."""
    add(store, "tiny:1b", "weights")
    path = store.root / "manifests/registry.ollama.ai/library/tiny/1b"
    path.rename(tmp_path / "1b")
    path.symlink_to(tmp_path / "1b")
    with pytest.raises(CorruptModel, match="plain file"):
        store.manifest(NAME)
    path.unlink()
    path.parent.rmdir()
    path.parent.symlink_to(tmp_path)
    with pytest.raises(CorruptModel, match="plain file"):
        store.manifest(NAME)


def test_linked_blob(store, tmp_path):
    """A blob that is a link is refused; a whole store behind a link is not."""
    blob = store.add_bytes(MODEL, b"weights")
    alias = tmp_path / "alias"
    alias.symlink_to(store.root)
    assert Store(alias).blob(blob).read_bytes() == b"weights"
    store.blob_path(blob.digest).rename(tmp_path / "blob")
    store.blob_path(blob.digest).symlink_to(tmp_path / "blob")
    with pytest.raises(CorruptModel, match="plain file"):
        store.blob(blob)
    assert not store.holds(blob)


def test_size_lies(store):
    """A blob of another size than its manifest tells is refused with both sizes."""
    blob = store.add_bytes(MODEL, b"weights")
    with pytest.raises(CorruptModel, match="has 7 bytes and its manifest says 8"):
        store.blob(Layer(MODEL, blob.digest, 8))


def test_blob_missing(store):
    """A blob that is not there is named."""
    with pytest.raises(ModelNotFound, match="sha256-" + "c" * 64):
        store.blob(Layer(MODEL, "c" * 64, 8))


def test_remove(store):
    """Removing a model frees what no other model uses, and nothing else."""
    add(store, "tiny:1b", "shared", "alone")
    add(store, "tiny:2b", "shared")
    assert store.remove(NAME) == len("alone")
    assert [name.short() for name in store.names()] == ["tiny:2b"]
    assert len(list((store.root / "blobs").iterdir())) == 2
    assert store.remove(parse_name("tiny:2b")) == len("shared") + len("{}")
    assert list((store.root / "blobs").iterdir()) == []
    assert list((store.root / "manifests").iterdir()) == []


def test_remove_unknown(store):
    """What is not there can't be removed."""
    with pytest.raises(ModelNotFound):
        store.remove(NAME)


def test_remove_corrupt(store):
    """A model whose manifest is broken can still be removed."""
    add(store, "tiny:1b", "weights")
    (store.root / "manifests/registry.ollama.ai/library/tiny/1b").write_bytes(b"broken")
    assert store.remove(NAME) == 0
    assert store.names() == ()


def test_remove_beside_corrupt(store):
    """While another manifest can't be read no blob is dropped: it may need it."""
    add(store, "tiny:1b", "weights")
    add(store, "tiny:2b", "weights")
    (store.root / "manifests/registry.ollama.ai/library/tiny/2b").write_bytes(b"broken")
    with pytest.raises(CorruptModel, match="2b"):
        store.remove(NAME)
    assert not store.has(NAME)
    assert len(list((store.root / "blobs").iterdir())) == 2


def test_nothing_half_written(store, monkeypatch):
    """A write that fails leaves the earlier manifest and no temporary file."""
    add(store, "tiny:1b", "weights")

    def fails(*args):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", fails)
    with pytest.raises(StoreError, match="No space left on device"):
        store.add_manifest(NAME, Manifest(()))
    folder = store.root / "manifests/registry.ollama.ai/library/tiny"
    assert [path.name for path in folder.iterdir()] == ["1b"]
    assert store.manifest(NAME).layers


def test_not_writable(tmp_path):
    """A store that can't be made says so, and what to set."""
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(StoreError, match="HUNKWISE_MODELS"), Store(tmp_path / "file" / "models").lock():
        pass


_HOLD = """
import sys
from pathlib import Path
from hunkwise.engine.models.store.store import Store
with Store(Path(sys.argv[1])).lock():
    print("held", flush=True)
    sys.stdin.read()
"""


def test_lock(store):
    """A second process waits for the first, and names it when it gives up."""
    command = [sys.executable, "-c", _HOLD, str(store.root)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdin
        assert holder.stdout
        assert holder.stdout.readline() == "held\n"
        told: list[str] = []
        with pytest.raises(StoreError, match=f"process {holder.pid}"), store.lock(0.1, told.append):
            pass
        assert len(told) == 1
        assert f"process {holder.pid}" in told[0]
        holder.stdin.close()
        with store.lock(10):
            pass
