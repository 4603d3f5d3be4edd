"""`hunkwise model` says what it did, in words and in JSON, and fails in one sentence."""

from __future__ import annotations

import hashlib
import json
import struct

import pytest

from hunkwise.reviewer.cli import hunkwise, run


def _text(text):
    return struct.pack("<Q", len(text)) + text.encode()


WEIGHTS = (
    b"GGUF"
    + struct.pack("<IQQ", 3, 0, 2)
    + (_text("general.architecture") + struct.pack("<I", 8) + _text("llama"))
    + (_text("llama.context_length") + struct.pack("<II", 4, 128))
    + bytes(2000)
)


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    """An empty home, and a folder to work in."""
    for name in ("HUNKWISE_MODELS", "OLLAMA_MODELS", "XDG_DATA_HOME", "HUNKWISE_SOURCES"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    (tmp_path / "home").mkdir()
    monkeypatch.chdir(tmp_path)
    (tmp_path / "w.gguf").write_bytes(WEIGHTS)
    (tmp_path / "Modelfile").write_text("FROM ./w.gguf\nPARAMETER temperature 0.5\nSYSTEM Be kind.\n")
    return tmp_path


@pytest.fixture
def model(capfd):
    """Runs `hunkwise model …`; returns exit code, stdout and stderr."""

    def call(*arguments):
        code = run(hunkwise, ["model", *arguments])
        return (code, *capfd.readouterr())

    return call


def test_life_of_a_model(model):
    """A model is made, listed, shown, verified and removed."""
    code, out, err = model("create", "mine")
    assert code == 0
    said = "parameter temperature has no effect in reviews, which always take the likeliest token"
    assert err == f"Modelfile:2:1: {said}\n"
    assert out.startswith("mine:latest is made (")
    code, out, err = model("list")
    assert (code, err) == (0, "")
    head, row = out.splitlines()
    assert head.split() == ["NAME", "SIZE", "DIGEST", "STORE"]
    assert row.split()[:3] == ["mine:latest", "2", "kB"]
    assert head.index("SIZE") == row.index("2 kB")
    code, out, err = model("show", "mine")
    assert "parameter  temperature 0.5\n" in out
    assert "no effect  temperature (reviews always take the likeliest token)\n" in out
    assert "kind       llama, unknown, 128 tokens of context\n" in out
    assert "system     Be kind.\n" in out
    assert model("verify", "mine") == (0, "mine: 1 file is as the digest says\n", "")
    code, out, err = model("rm", "mine")
    assert (code, err) == (0, "")
    assert out.startswith("mine is removed; ")
    assert model("list") == (0, "no models yet; run: hunkwise model pull\n", "")


def test_json(model):
    """Each verb has a JSON object with settled keys, and nothing else on stdout."""
    made = json.loads(model("create", "mine", "-f", "Modelfile", "--json")[1])
    loadable = {"name", "digest", "weights", "adapters", "draft"}
    assert set(made) == loadable
    assert set(json.loads(model("pull", "./w.gguf", "--json")[1])) == loadable
    row = json.loads(model("list", "--json")[1])["models"][0]
    assert set(row) == {"name", "digest", "size", "store", "problem"}
    shown = json.loads(model("show", "mine", "--json")[1])
    about = {"size", "store", "architecture", "quantization", "context", "licenses"}
    assert set(shown) == loadable | about | {
        "parameters",
        "without_effect",
        "template",
        "system",
        "messages",
    }
    assert shown["parameters"] == {"temperature": 0.5}
    assert set(json.loads(model("verify", "mine", "--json")[1])) == {"name", "verified"}
    assert set(json.loads(model("rm", "mine", "--json")[1])) == {"name", "freed"}


def test_list_all(model):
    """The catalogue is listed on request, as not on this machine."""
    out = " ".join(model("list", "--all")[1].split())
    assert "qwen2.5-coder:1.5b 1.1 GB cc324af070c2 not on this machine" in out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("show", "none"), "none:latest is not on this machine; run: hunkwise model pull none:latest"),
        (("show",), "qwen2.5-coder:1.5b is not on this machine"),
        (("show", "./none.gguf"), "none.gguf does not exist"),
        (("show", "a b"), "may not hold ' '"),
        (("pull", "--offline"), "offline nothing is fetched; run once without --offline"),
        (("verify", "none"), "not on this machine"),
        (("rm", "none"), "see: hunkwise model list"),
        (("create", "mine", "-f", "nowhere"), "nowhere can't be read: No such file or directory"),
        (("create", "mine", "-f", "w.gguf"), "no Modelfile"),
        (("create", "../x"), "../x"),
    ],
)
def test_errors(model, arguments, message):
    """What can't be done is one sentence on stderr and exit code 2."""
    code, out, err = model(*arguments)
    assert (code, out) == (2, "")
    assert err.startswith("hunkwise: ")
    assert message in err
    assert err.count("\n") == 1


@pytest.mark.parametrize("arguments", [("list",), ("show",), ("pull",), ("advise",)])
def test_store_is_a_file(model, monkeypatch, home, arguments):
    """A store that is no folder is no empty store, whatever is asked of it."""
    monkeypatch.setenv("HUNKWISE_MODELS", str(home / "w.gguf"))
    code, out, err = model(*arguments)
    assert (code, out) == (2, "")
    assert "w.gguf is no folder; set HUNKWISE_MODELS" in err


def test_changed_weights(model, home, capfd):
    """A review by weights that are not what they were ends with what is wrong, where, and what to do."""
    assert model("create", "mine", "-f", "Modelfile")[0] == 0
    (blob,) = home.glob("home/.local/share/hunkwise/models/blobs/*" + hashlib.sha256(WEIGHTS).hexdigest())
    blob.write_bytes(WEIGHTS[:-1] + b"!")
    (home / "x.patch").write_text("--- a/x.py\n+++ b/x.py\n@@ -1 +1 @@\n-x = 1\n+x = 2\n")
    assert run(hunkwise, ["review", "x.patch", "--model", "mine", "--offline"]) == 2
    error = capfd.readouterr().err
    assert f"{blob} hashes to sha256" in error
    assert "pull or create the model again" in error


def test_unknown_source(model, monkeypatch):
    """A source that nobody knows is a sentence, too."""
    monkeypatch.setenv("HUNKWISE_SOURCES", "floppy")
    code, _, err = model("list")
    assert code == 2
    assert "HUNKWISE_SOURCES: unknown source 'floppy'" in err


def test_notes_in_a_log(model, monkeypatch, home):
    """Where stderr is no terminal no progress is drawn, but why a source was passed over is told."""
    (home / "mirror").mkdir()
    monkeypatch.setenv("HUNKWISE_SOURCES", str(home / "mirror"))
    code, out, err = model("pull")
    assert (code, out) == (2, "")
    first, second, third = err.splitlines()
    assert first.endswith("mirror: no .gguf file of 1117320768 bytes")
    assert second == "hunkwise: no source has qwen2.5-coder:1.5b:"
    assert third == f"  {home}/mirror: no .gguf file of 1117320768 bytes"
    assert "\r" not in err


def test_hostile_texts(model, home):
    """A model's texts can't steer the terminal."""
    (home / "Modelfile").write_text('FROM ./w.gguf\nSYSTEM """x\n\u202ey"""\n')
    assert model("create", "mine")[0] == 0
    out = model("show", "mine")[1]
    assert "\u202e" not in out
