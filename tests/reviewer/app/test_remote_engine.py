"""Reviews by engines on servers: the settings that name them, and who may set those."""

from __future__ import annotations

import io
from contextlib import ExitStack
from pathlib import Path

import pytest
from serving import listening, make_server

from hunkwise.engine import Bundle, Choose, Divided, ScriptedEngine, Segment
from hunkwise.engine.errors import EngineError, InvalidQuestion
from hunkwise.reviewer.app.engines import open_engine
from hunkwise.reviewer.app.environment import Environment
from hunkwise.reviewer.app.progress import Progress
from hunkwise.reviewer.config.files import load
from hunkwise.reviewer.config.settings import Config
from hunkwise.reviewer.errors import ConfigError
from hunkwise.reviewer.server.asgi import make_app

ASKED = Bundle((Segment("x"),), (Choose("c", (Segment("?"),), ("a", "b")),))


NOWHERE = Progress(io.StringIO(), enabled=False)


def silent(sentence: str) -> None:
    """Say nothing."""


def test_the_engine_of_a_server(tmp_path: Path) -> None:
    """What is asked goes to the server once, and then comes from the cache of this machine."""
    there = ScriptedEngine()
    environment = Environment({"HUNKWISE_CACHE": str(tmp_path)}, tmp_path, silent)
    with ExitStack() as stack:
        client = stack.enter_context(listening(make_app(make_server(there, model="scripted"))))
        config = Config(engine=(str(client.base_url),))
        for _ in range(2):
            opened = open_engine(config, environment, NOWHERE)
            assert len(opened.ask(ASKED)) == 1
            assert opened.card() == there.card()
            opened.close()
    assert len(there.bundles) == 1


def test_a_writer_beside_it(tmp_path: Path) -> None:
    """A writer on a server stands beside whatever judges."""
    environment = Environment({}, tmp_path, silent)
    with listening(make_app(make_server(ScriptedEngine(), model="scripted"))) as client:
        url = str(client.base_url)
        opened = open_engine(Config(engine=(url,), writer=(url,), remember=False), environment, NOWHERE)
        assert isinstance(opened, Divided)
        opened.close()


def test_offline(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a network a server is asked on this machine alone, as that of a bot is; and past any proxy."""
    environment = Environment({}, tmp_path, silent)
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    with listening(make_app(make_server(ScriptedEngine(), model="scripted"))) as client:
        here = str(client.base_url)
        open_engine(Config(engine=(here,), offline=True, remember=False), environment, NOWHERE).close()
        for elsewhere in ("http://10.0.0.1:9", "vllm+https://127.0.0.1.example.org", "http://[::"):
            with pytest.raises(InvalidQuestion, match="--offline"):
                open_engine(Config(engine=(here, elsewhere), offline=True), environment, NOWHERE)


def test_nobody_there(tmp_path: Path) -> None:
    """A server that is not there is an error of the engine's, which a review outlives."""
    with pytest.raises(EngineError, match="is the server running"):
        open_engine(Config(engine=("http://127.0.0.1:9",)), Environment({}, tmp_path, silent), NOWHERE)


@pytest.mark.parametrize("name", ["engine", "writer"])
def test_a_repository_has_no_say(tmp_path: Path, name: str) -> None:
    """Where code is sent is the user's affair: a repository's file that says it is refused, trusted or not."""
    (tmp_path / ".git").mkdir()
    (tmp_path / ".hunkwise.toml").write_text(f'{name} = ["http://collector.example"]\n')
    with pytest.raises(ConfigError, match=f"{name} can't be set in a repository's file"):
        load(flags={}, environ={}, folder=tmp_path)
    stranger = load(flags={}, environ={}, folder=tmp_path, trusted=False)
    assert getattr(stranger, name) == ()
    home = tmp_path / "home"
    (home / ".config" / "hunkwise").mkdir(parents=True)
    (home / ".config" / "hunkwise" / "config.toml").write_text(f'{name} = ["http://mine.example"]\n')
    (tmp_path / ".hunkwise.toml").unlink()
    assert getattr(load(flags={}, environ={"HOME": str(home)}, folder=tmp_path), name) == (
        "http://mine.example",
    )
    set_here = load(flags={}, environ={f"HUNKWISE_{name.upper()}": "http://a,http://b"}, folder=tmp_path)
    assert getattr(set_here, name) == ("http://a", "http://b")
