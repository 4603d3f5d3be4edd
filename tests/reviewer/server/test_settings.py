"""The server's settings: what Ollama's variables mean, which of several counts, where each comes from."""

from __future__ import annotations

import math
import socket
from collections.abc import Mapping
from pathlib import Path

import pytest

from hunkwise.engine import LoadOptions
from hunkwise.reviewer.cli import hunkwise, run
from hunkwise.reviewer.config.variables import OTHER_VARIABLES
from hunkwise.reviewer.errors import ConfigError
from hunkwise.reviewer.server.run import listen
from hunkwise.reviewer.server.settings import Settings, address, duration, server_settings, variables


def test_no_write_waits_for_the_one_before() -> None:
    """Each token of a stream is a small packet, which TCP would hold back until the one before is acknowledged."""
    with listen(Settings(port=0)) as listener, socket.create_connection(listener.getsockname()):
        accepted, _ = listener.accept()
        with accepted:
            assert accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)


def test_ours_goes_before_ollamas_and_a_flag_before_both() -> None:
    environ = {"HUNKWISE_HOST": "0.0.0.0:1", "OLLAMA_HOST": "10.0.0.1:2", "OLLAMA_KEEP_ALIVE": "-1"}
    settings = server_settings({"port": 3, "model": None}, environ)
    assert (settings.host, settings.port, settings.model) == ("0.0.0.0", 3, "")
    assert settings.keep_alive == math.inf
    told = {name: origin for name, _, origin in settings.shown()}
    assert told["host"] == "HUNKWISE_HOST"
    assert told["port"] == "flag"
    assert told["keep_alive"] == "OLLAMA_KEEP_ALIVE"
    assert told["max_queue"] == "default"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("0.0.0.0", ("0.0.0.0", 11435)),
        ("1.2.3.4:99", ("1.2.3.4", 99)),
        (":99", ("127.0.0.1", 99)),
        ("http://box", ("box", 80)),
        ("https://box/path", ("box", 443)),
        ("http://box:8000/path", ("box", 8000)),
        ('"box"', ("box", 11435)),
        ("[::1]:99", ("::1", 99)),
        ("[::1]", ("::1", 11435)),
        ("::", ("::", 11435)),
    ],
)
def test_addresses_as_ollama_reads_them(text: str, expected: tuple[str, int]) -> None:
    assert address(text) == expected


@pytest.mark.parametrize("text", ["a:b", "a:70000", "ftp://a", "[::1", "a:1:2:x", "a]:1"])
def test_addresses_that_are_none(text: str) -> None:
    with pytest.raises(ValueError, match="an address"):
        address(text)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("90", 90), ("0", 0), ("-1", math.inf), ("5m", 300), ("1h30m", 5400), ("1.5s", 1.5), ("-1m", math.inf)],
)
def test_durations_as_go_writes_them(text: str, seconds: float) -> None:
    assert duration(text) == seconds


@pytest.mark.parametrize("text", ["", "x", "5 m", "5mx", "m", "1e9", "--1", "9" * 20, "nan", "inf"])
def test_durations_that_are_none(text: str) -> None:
    with pytest.raises(ValueError, match="a number of seconds"):
        duration(text)


@pytest.mark.parametrize(
    "environ",
    [
        {"OLLAMA_NUM_PARALLEL": "many"},
        {"HUNKWISE_MAX_QUEUE": "-1"},
        {"OLLAMA_KV_CACHE_TYPE": "q5_1"},
        {"OLLAMA_FLASH_ATTENTION": "maybe"},
        {"HUNKWISE_RATE": "60 a minute"},
        {"HUNKWISE_RATE": "0/second"},
        {"OLLAMA_HOST": "a b:c"},
    ],
)
def test_a_wrong_value_names_its_variable(environ: Mapping[str, str]) -> None:
    with pytest.raises(ConfigError, match=next(iter(environ))):
        server_settings({}, environ)


def test_what_a_model_is_loaded_with() -> None:
    environ = {
        "OLLAMA_KV_CACHE_TYPE": "q4_0",
        "OLLAMA_FLASH_ATTENTION": "1",
        "OLLAMA_GPU_OVERHEAD": "1024",
    }
    want = server_settings({}, environ).loaded_with(LoadOptions(n_ctx=16384))
    assert (want.n_ctx, want.kv_types, want.overhead) == (16384, ("q4_0",), 1024)
    assert Settings().loaded_with(LoadOptions()) == LoadOptions()
    assert server_settings({}, {"OLLAMA_FLASH_ATTENTION": "0"}).loaded_with(LoadOptions()).kv_types == (
        "f16",
    )


def test_every_variable_is_a_known_one() -> None:
    """Else a review would refuse it as misspelt."""
    ours = {
        variables(name)[0] for name, _, _ in Settings(told_by=dict.fromkeys(Settings.__slots__, "")).shown()
    }
    assert ours - {"HUNKWISE_PORT", "HUNKWISE_ENGINE"} <= set(OTHER_VARIABLES)  # ENGINE is a review's too


def test_config_show_tells_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("OLLAMA_MAX_QUEUE", "7")
    monkeypatch.setenv("OLLAMA_LOAD_TIMEOUT", "0")
    assert run(hunkwise, ["config", "show"]) == 0
    shown = {line.split()[0]: line.split()[1:] for line in capsys.readouterr().out.splitlines()}
    assert shown["serve.max_queue"] == ["7", "(OLLAMA_MAX_QUEUE)"]
    assert shown["serve.load_timeout"] == ['"none"', "(OLLAMA_LOAD_TIMEOUT)"]
    monkeypatch.setenv("OLLAMA_MAX_QUEUE", "x")
    assert run(hunkwise, ["config", "show"]) == 2
    assert "OLLAMA_MAX_QUEUE must be a whole number" in capsys.readouterr().err
    assert run(hunkwise, ["serve"]) == 2


def test_an_address_that_is_taken_is_a_sentence(capsys: pytest.CaptureFixture[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert run(hunkwise, ["serve", "--port", str(port)]) == 2
    assert f"can't listen on 127.0.0.1:{port}" in capsys.readouterr().err
