"""A name of the catalogue means the catalogue's weights, whatever a store, a file or a change says."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace

import pytest

from hunkwise.engine.errors import CorruptModel, InvalidName, ModelNotFound
from hunkwise.engine.models.catalog import CatalogEntry
from hunkwise.engine.models.library import Library
from hunkwise.engine.models.names import parse_name
from hunkwise.engine.models.sources.base import Item, Offer
from hunkwise.engine.models.sources.file import FileSource, copy_file
from hunkwise.engine.models.store import manifest as m
from hunkwise.engine.models.store.manifest import Manifest
from hunkwise.engine.models.store.seals import Seals
from hunkwise.engine.models.store.store import Store

NAME = "tiny-coder:1b"
SPELLINGS = [
    NAME,
    "Tiny-Coder:1B",
    f"library/{NAME}",
    f"LIBRARY/{NAME}",
    f"registry.ollama.ai/library/{NAME}",
    f"Registry.Ollama.AI/library/{NAME}",
    f"http://registry.ollama.ai/library/{NAME}",
    f"https://registry.ollama.ai/library/{NAME}",
]
OTHERS = [
    "tiny-coder",
    "tiny-coder:latest",
    f"localhost/library/{NAME}",
    f"registry.ollama.ai:443/library/{NAME}",
]


def digest(data):
    return hashlib.sha256(data).hexdigest()


@pytest.fixture
def weights(tiny_gguf):
    return tiny_gguf(128, bytes(5000))


@pytest.fixture
def fakes(tiny_gguf):
    return tiny_gguf(64, bytes(300))


@pytest.fixture
def entry(weights):
    return CatalogEntry(NAME, "for tests", len(weights), digest(weights), "MIT", quantization="Q4_0")


@pytest.fixture
def catalog(entry):
    return {parse_name(NAME): entry}


@pytest.fixture
def store(tmp_path):
    return Store(tmp_path / "own")


@pytest.fixture
def source(tmp_path, weights):
    """A folder that has the true weights."""
    (tmp_path / "mirror").mkdir()
    (tmp_path / "mirror" / "w.gguf").write_bytes(weights)
    return FileSource(tmp_path / "mirror")


@pytest.fixture
def recipe(tmp_path, fakes):
    """A Modelfile over other weights."""
    (tmp_path / "fake.gguf").write_bytes(fakes)
    (tmp_path / "Modelfile").write_text("FROM ./fake.gguf")
    return tmp_path / "Modelfile"


def substitute(store, data, spelling=NAME, *more):
    """Put other weights under the catalogue's name, as an attacker would."""
    layers = (store.add_bytes(m.MODEL, data), *(store.add_bytes(kind, text) for kind, text in more))
    store.add_manifest(parse_name(spelling), Manifest(layers))


@pytest.mark.parametrize("spelling", SPELLINGS + OTHERS)
def test_no_model_is_made_under_the_name(store, catalog, recipe, spelling):
    """Nor under one that people would read as it."""
    with pytest.raises(
        InvalidName, match=rf"would be taken for the catalogue's {NAME}; .*such as my-tiny-coder"
    ):
        Library(store, catalog=catalog).create(spelling, recipe)
    assert store.names() == ()


@pytest.mark.parametrize("name", ["mine", "tiny-coder-mine:1b", "me/tiny-coder:1b", "tiny-coder:7b"])
def test_other_names_are_free(store, catalog, recipe, fakes, name):
    """A name of one's own is nobody's business."""
    assert Library(store, catalog=catalog).create(name, recipe).digest == digest(fakes)


@pytest.mark.parametrize("spelling", SPELLINGS)
@pytest.mark.parametrize("under", [NAME, "Tiny-Coder:1B"])
@pytest.mark.parametrize("read_only", [False, True])
def test_every_spelling_means_the_digest(
    store, tmp_path, catalog, weights, fakes, spelling, under, read_only
):
    """A substitute in the own store or in Ollama's, in any case, is not looked at."""
    ollama = Store(tmp_path / "ollama")
    substitute(ollama if read_only else store, fakes, under)
    library = Library(store, [ollama], catalog=catalog)
    for ask in (library.find, library.ensure, library.show, library.verify):
        with pytest.raises(ModelNotFound, match=f"{NAME} is not on this machine"):
            ask(spelling)
    store.add_bytes(m.MODEL, weights)
    spec = library.find(spelling)
    assert (spec.name, spec.digest) == (NAME, digest(weights))
    assert library.verify(spelling) == (store.blob_path(digest(weights)),)


def test_nothing_but_the_weights(store, catalog, weights):
    """True weights with a stranger's prompt, template, parameters or adapter are the true weights alone."""
    more = [(m.SYSTEM, b"Say nothing."), (m.TEMPLATE, b"{{ .Prompt }}"), (m.PARAMS, b'{"num_ctx": 1}')]
    substitute(store, weights, NAME, *more, (m.ADAPTER, weights))
    spec = Library(store, catalog=catalog).find(NAME)
    assert (spec.system, spec.template, spec.parameters, spec.adapters) == (None, None, {}, ())


def test_a_substitute_is_listed_as_one(store, catalog, fakes):
    """`list` says that what stands under the name is not used."""
    substitute(store, fakes)
    (row,) = Library(store, catalog=catalog).list()
    assert "the name means the catalogue's" in row.problem


@pytest.mark.parametrize("data", [None, b"no manifest"])
def test_pull_replaces_a_substitute(store, catalog, source, weights, fakes, data):
    """What stood there is gone, with its weights."""
    substitute(store, fakes)
    if data:
        (store.root / "manifests/registry.ollama.ai/library/tiny-coder/1b").write_bytes(data)
    heard = []
    library = Library(store, sources=[source], catalog=catalog)
    spec = library.pull(NAME, lambda *told: heard.append(told[0]))
    assert spec.digest == digest(weights)
    assert "was not the catalogue's model; it is replaced" in heard[0]
    assert [row.problem for row in library.list()] == [""]
    assert store.blob_path(digest(fakes)).exists() is bool(
        data
    )  # what an unreadable manifest used is unknown


def test_offline_a_substitute_is_refused(store, catalog, fakes):
    """Nothing can be fetched, so nothing is used."""
    substitute(store, fakes)
    with pytest.raises(
        ModelNotFound, match=r"own has other weights under that name.*offline nothing is fetched"
    ):
        Library(store, offline=True, catalog=catalog).ensure(NAME)


def test_wrong_bytes_under_the_digest(store, catalog, weights, source):
    """A blob that only bears the name of the digest is deleted, named, and fetched again."""
    store.add_bytes(m.MODEL, weights)
    store.blob_path(digest(weights)).write_bytes(weights[:-1] + b"!")
    library = Library(store, sources=[source], catalog=catalog)
    with pytest.raises(CorruptModel, match=f"expected {digest(weights)}"):
        library.ensure(NAME)
    assert library.ensure(NAME).digest == digest(weights)


def test_pull_mends_wrong_bytes(store, tmp_path, catalog, weights, source):
    """Also where they lie in a store that is only read: the right ones come into our own."""
    ollama = Store(tmp_path / "ollama")
    library = Library(store, [ollama], [source], catalog=catalog)
    heard: list[str] = []
    for where in (ollama, store):
        heard.clear()
        where.add_bytes(m.MODEL, weights)
        where.blob_path(digest(weights)).write_bytes(weights[:-1] + b"!")
        assert library.pull(NAME, lambda *told: heard.append(told[0])).weights == (
            store.blob_path(digest(weights)),
        )
        assert "hashes to" in "".join(heard)
    assert ollama.blob_path(digest(weights)).read_bytes() != weights


@pytest.mark.parametrize("value", [NAME, "library/Tiny-Coder:1b"])
def test_from_is_no_file_beside_the_modelfile(store, catalog, tmp_path, weights, fakes, value):
    """A file that is called like a model of the catalogue does not pose as it."""
    (tmp_path / "library").mkdir()
    (tmp_path / value).write_bytes(fakes)
    (tmp_path / "Modelfile").write_text(f"FROM {value}")
    store.add_bytes(m.MODEL, weights)
    library = Library(store, catalog=catalog)
    assert library.find(str(tmp_path / "Modelfile")).digest == digest(weights)
    assert library.create("mine", tmp_path / "Modelfile").digest == digest(weights)


# Removing


@pytest.mark.parametrize("pulled", [True, False])
def test_rm_leaves_the_catalogues_weights(store, catalog, source, tmp_path, weights, pulled):
    """They go with the catalogue's model, not with one that was made of it, in whatever order."""
    library = Library(store, sources=[source], catalog=catalog)
    (tmp_path / "Modelfile").write_text(f"FROM {NAME}\nSYSTEM Be kind.")
    if pulled:
        library.pull(NAME)
    else:
        store.add_bytes(m.MODEL, weights)
    library.create("mine", tmp_path / "Modelfile")
    assert 0 < library.remove("mine") < 1000  # the system prompt and the description
    assert library.find(NAME).digest == digest(weights)
    library.create("mine", tmp_path / "Modelfile")
    assert library.remove("Tiny-Coder:1B") < 1000
    assert library.find("mine").digest == digest(weights)
    library.remove("mine")
    assert library.remove(NAME) == len(weights)
    with pytest.raises(ModelNotFound):
        library.remove(NAME)


def test_rm_of_a_substitute(store, catalog, weights, fakes):
    """It goes with its weights; those of another model stay."""
    substitute(store, fakes, "Tiny-Coder:1B")
    substitute(store, fakes, "mine")
    Library(store, catalog=catalog).remove("Tiny-Coder:1B")
    assert [name.short() for name in store.names()] == ["mine:latest"]
    assert store.blob_path(digest(fakes)).exists()


# A store inside a checkout


class Registry:
    """A source that says what a name is."""

    label = "registry"

    def __init__(self, path, data):
        self.path, self.data, self.asked = path, data, 0

    def offer(self, wanted):
        self.asked += 1
        self.path.write_bytes(self.data)
        return Offer((Item(m.Layer(m.MODEL, digest(self.data), len(self.data)), str(self.path)),))

    def fetch(self, item, target, told):
        copy_file(self.path, item.layer, target, told)


@pytest.fixture(params=["folder", "worktree", "link"])
def checkout(tmp_path, request):
    """A store's folder inside a git work tree; by its path, or where a link leads."""
    root = tmp_path / "checkout"
    (root / "deep/models").mkdir(parents=True)
    if request.param == "worktree":
        (root / ".git").write_text("gitdir: elsewhere")
    else:
        (root / ".git").mkdir()
    if request.param != "link":
        return root / "deep/models"
    (tmp_path / "link").symlink_to(root / "deep/models")
    return tmp_path / "link"


def test_seals_of_a_checkout_are_not_believed(checkout, catalog, weights, entry):
    """Whoever writes a change could write them: weights are hashed at each use."""
    store = Store(checkout)
    assert not store.trusted
    path = store.blob_path(digest(weights))
    store.add_bytes(m.MODEL, weights)
    path.write_bytes(weights[:-1] + b"!")
    Seals(checkout / "seals.json").note(path, digest(weights))
    assert json.loads((checkout / "seals.json").read_text())
    with pytest.raises(CorruptModel, match="hashes to"):
        Library(store, catalog=catalog).find(NAME)


def test_seals_are_not_written_there(checkout, catalog, weights):
    """Within one process a file is hashed once all the same."""
    store = Store(checkout)
    store.add_bytes(m.MODEL, weights)
    library, heard = Library(store, catalog=catalog), []
    for _ in range(2):
        assert library.find(NAME, lambda *told: heard.append(told)).seals
    assert len(heard) == 1
    assert not (checkout / "seals.json").exists()


def test_other_names_of_a_checkout_need_a_source(checkout, catalog, fakes, weights, tmp_path):
    """What a manifest there says of a name counts only once a source says the same, now."""
    store = Store(checkout)
    substitute(store, fakes, "mine")
    (tmp_path / "Modelfile").write_text("FROM mine")
    for text in ("mine", str(tmp_path / "Modelfile")):
        with pytest.raises(
            ModelNotFound, match=r"mine:latest is in .*inside a checkout.*Set HUNKWISE_MODELS"
        ):
            Library(store, offline=True, catalog=catalog).ensure(text)
        registry = Registry(tmp_path / "w", weights)
        library = Library(store, sources=[registry], catalog=catalog)
        assert library.ensure(text).digest == digest(weights)
        assert library.ensure(text).digest == digest(weights)
        assert registry.asked == 2


def test_an_ollama_store_in_a_checkout(checkout, store, catalog, fakes):
    """The same holds of a store that is only read."""
    substitute(Store(checkout), fakes, "mine")
    library = Library(store, [Store(checkout)], catalog=catalog)
    with pytest.raises(ModelNotFound, match="inside a checkout"):
        library.ensure("mine")
    substitute(store, fakes, "mine")
    assert library.ensure("mine").digest == digest(fakes)


def test_making_a_model_in_a_checkout_says_so(checkout, catalog, recipe, fakes):
    """It can be looked at there, but not review."""
    library, heard = Library(Store(checkout), catalog=catalog), []
    assert library.create("mine", recipe, lambda *told: heard.append(told[0])).digest == digest(fakes)
    assert "no review takes a model that was made there. Set HUNKWISE_MODELS" in heard[0]
    assert library.show("mine").spec.digest == digest(fakes)


def test_a_catalogue_model_in_a_checkout(checkout, catalog, source, weights):
    """Its digest is known from elsewhere, so its weights may lie there."""
    library = Library(Store(checkout), sources=[source], catalog=catalog)
    assert library.ensure(NAME).digest == library.ensure(NAME).digest == digest(weights)


def test_a_store_elsewhere_is_trusted(store):
    """As before."""
    assert store.trusted


def test_published_needs_no_source(store, catalog, entry):
    """What the catalogue says of its own models needs no network."""
    assert Library(store, catalog=catalog).published("Tiny-Coder:1B") == {"Q4_0": (NAME, entry.bytes)}
    assert replace(entry).weights.digest == entry.sha256
