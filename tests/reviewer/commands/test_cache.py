from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from hunkwise.engine import Bundle, CachedEngine, Choose, ScriptedEngine, Segment
from hunkwise.reviewer.app.cache import cache_from_environment, place_from_environment, trust_from_environment
from hunkwise.reviewer.commands.cache import command
from hunkwise.reviewer.errors import ConfigError

BUNDLE = Bundle((Segment("?"),), (Choose("q", (), ("yes", "no")),))


def run(environ: Mapping[str, str], *arguments: str) -> Any:
    return CliRunner().invoke(command, arguments, env=dict(environ), catch_exceptions=True)


def test_place() -> None:
    """HUNKWISE_CACHE names the folder, else XDG_CACHE_HOME, else ~/.cache."""
    assert place_from_environment({"HUNKWISE_CACHE": "/a", "XDG_CACHE_HOME": "/b"}).folder == Path("/a")
    assert place_from_environment({"XDG_CACHE_HOME": "/b", "HOME": "/c"}).folder == Path("/b/hunkwise")
    assert place_from_environment({"HOME": "/c"}).folder == Path("/c/.cache/hunkwise")


def test_a_folder_of_the_checkout(tmp_path: Path) -> None:
    """A folder that is under version control is a stranger's: whoever committed its secret can forge answers."""
    subprocess.run(["git", "init", "-q", tmp_path], check=True)
    environ = {"HUNKWISE_CACHE": str(tmp_path / "answers")}
    with cache_from_environment(environ) as cache:
        cache.put({"a" * 64: 1})
    assert not place_from_environment(environ).foreign
    subprocess.run(["git", "-C", tmp_path, "add", "."], check=True)
    place = place_from_environment(environ)
    assert place.foreign
    assert place.prefixes is None
    with cache_from_environment(environ) as cache:
        assert cache.get({"a" * 64: lambda value: value}) == {}
        cache.put({"a" * 64: 2})
        assert cache.get({"a" * 64: lambda value: value}) == {"a" * 64: 2}
    with cache_from_environment({**environ, "HUNKWISE_CACHE_SECRET": "s" * 16}) as cache:
        cache.put({"a" * 64: 3})
    with cache_from_environment({**environ, "HUNKWISE_CACHE_SECRET": "s" * 16}) as cache:
        assert cache.get({"a" * 64: lambda value: value}) == {"a" * 64: 3}


def test_secrets_are_not_shown() -> None:
    """Neither the secret nor Redis's password is in a place's text."""
    place = place_from_environment(
        {"HOME": "/c", "HUNKWISE_CACHE_SECRET": "x" * 32, "HUNKWISE_REDIS_URL": "redis://:hush@h"}
    )
    assert place.secret == b"x" * 32
    assert "xxx" not in repr(place)
    assert "hush" not in repr(place)


def test_short_secret() -> None:
    """A secret that could be guessed is refused, with a way to make a better one."""
    with pytest.raises(ConfigError, match="openssl rand"):
        place_from_environment({"HOME": "/c", "HUNKWISE_CACHE_SECRET": "1234"})


PULL = {"GITHUB_ACTIONS": "true", "GITHUB_EVENT_NAME": "pull_request", "GITHUB_REPOSITORY": "us/it"}
MERGE = {"CI_PROJECT_PATH": "us/it"}


@pytest.mark.parametrize(
    ("environ", "event", "trust"),
    [
        ({}, None, "trusted"),
        ({"GITHUB_ACTIONS": "true", "GITHUB_EVENT_NAME": "push"}, None, "trusted"),
        (PULL, {"pull_request": {"head": {"repo": {"full_name": "us/it"}}}}, "trusted"),
        (PULL, {"pull_request": {"head": {"repo": {"full_name": "them/it"}}}}, "fork"),
        (PULL, {"pull_request": {"head": {"repo": None}}}, "fork"),
        (PULL, [], "fork"),
        (PULL, None, "fork"),
        ({**PULL, "GITHUB_EVENT_NAME": "pull_request_target"}, None, "fork"),
        (MERGE, None, "trusted"),
        ({**MERGE, "CI_MERGE_REQUEST_SOURCE_PROJECT_PATH": "us/it"}, None, "trusted"),
        ({**MERGE, "CI_MERGE_REQUEST_SOURCE_PROJECT_PATH": "them/it"}, None, "fork"),
    ],
)
def test_trust(tmp_path: Path, environ: dict[str, str], event: Any, trust: str) -> None:
    """A pull or merge request from another repository is a fork's, and so is one that can't be told."""
    (tmp_path / "event").write_text(json.dumps(event))
    assert trust_from_environment({**environ, "GITHUB_EVENT_PATH": str(tmp_path / "event")}) == trust


def test_stats_and_clear(tmp_path: Path) -> None:
    """Stats count entries, hits and misses of all runs; clear forgets them."""
    environ = {"HUNKWISE_CACHE": str(tmp_path / "c")}
    assert "empty" in run(environ, "stats").output
    assert not (tmp_path / "c").exists()
    inner = ScriptedEngine()
    for _ in range(3):
        with cache_from_environment(environ, "r") as cache:
            CachedEngine(lambda: inner, inner.card(), cache).ask(BUNDLE)
    assert len(inner.bundles) == 1
    (row,) = json.loads(run(environ, "stats", "--json").output)["stores"]
    assert row["store"] == "disk, trusted"
    assert row["entries"] == 1
    assert row["counts"] == {"disk.hit": 2, "miss": 1}
    assert "disk, trusted  1 entries" in run(environ, "stats").output
    assert json.loads(run(environ, "clear", "--json").output)["cleared"] == {"disk, trusted": 1}
    assert json.loads(run(environ, "stats", "--json").output)["stores"][0]["entries"] == 0


def test_clear_forgets_prefixes(tmp_path: Path) -> None:
    """What a model computed of system messages goes too; the secret beside it stays."""
    folder = place_from_environment({"HUNKWISE_CACHE": str(tmp_path)}).prefixes
    assert folder
    folder.mkdir()
    for name in ("a.cells", "b.cells", "secret"):
        (folder / name).touch()

    output = run({"HUNKWISE_CACHE": str(tmp_path)}, "clear").output

    assert "prefixes: 2 entries forgotten" in output
    assert [path.name for path in folder.iterdir()] == ["secret"]


def test_redis_out_of_reach(tmp_path: Path) -> None:
    """Stats say that Redis can't be reached; clear fails, for something was not cleared."""
    environ = {"HUNKWISE_CACHE": str(tmp_path), "HUNKWISE_REDIS_URL": "unix:///nowhere/s"}
    assert "redis  out of reach" in run(environ, "stats").output
    assert "redis.gone" in str(run(environ, "clear").exception)


def test_loads_no_redis(tmp_path: Path) -> None:
    """Without a Redis address the redis package is not imported."""
    script = (
        "import sys; from hunkwise.reviewer.app.cache import cache_from_environment\n"
        "with cache_from_environment({'HUNKWISE_CACHE': sys.argv[1]}): pass\n"
        "print([name for name in ('redis', 'numpy', 'llama_cpp') if name in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, str(tmp_path)], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"
