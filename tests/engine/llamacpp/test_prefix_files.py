"""Prefixes on disk: found by the next process, and never believed."""

from __future__ import annotations

import os
import resource
import signal
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from hunkwise.engine import Bundle, Choice, Choose, ModelSpec, Segment
from hunkwise.engine.llamacpp.decoding.prefix_files import PrefixFiles
from hunkwise.engine.llamacpp.runner import LocalEngine, load
from hunkwise.engine.planning.plan import Plan

TOKENS = np.arange(300, dtype=np.int32)
CELLS = np.arange(5000, dtype=np.uint8)


def files_in(folder: Path, **options: int) -> PrefixFiles:
    return PrefixFiles(folder, b"qwen, llama.cpp 9, f16", **options)


def stored(folder: Path) -> list[Path]:
    return sorted(folder.glob("*.cells"))


def test_what_was_put_is_found_by_the_next_process(tmp_path: Path) -> None:
    """Cells come back byte for byte, for exactly the tokens they are of; only the owner may read them."""
    files_in(tmp_path / "new" / "prefixes").put(TOKENS, CELLS)

    after = files_in(tmp_path / "new" / "prefixes")

    found = after.get(TOKENS)
    assert found is not None
    assert found.tobytes() == CELLS.tobytes()
    assert after.has(TOKENS)
    assert after.get(TOKENS[:256]) is None
    assert not after.has(TOKENS[:256])
    (path,) = stored(tmp_path / "new" / "prefixes")
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o777 == 0o700
    assert after.tally.counts() == {"prefix.hit": 1, "prefix.miss": 1}


def flip(at: int) -> Callable[[Path], object]:
    def damage(path: Path) -> None:
        content = bytearray(path.read_bytes())
        content[at] ^= 1
        path.write_bytes(content)

    return damage


@pytest.mark.parametrize(
    "damage",
    [
        flip(0),
        flip(31),
        flip(32),
        flip(-1),
        lambda path: os.truncate(path, 4000),
        lambda path: os.truncate(path, 20),
        lambda path: os.truncate(path, 0),
        lambda path: os.truncate(path, 1 << 40),  # sparse: larger than any that is written
        lambda path: path.write_bytes(path.read_bytes() + b"\0"),
    ],
)
def test_an_altered_file_is_a_miss_and_goes(tmp_path: Path, damage: Callable[[Path], object]) -> None:
    """Whatever its bytes, a file that is not as it was written never reaches llama.cpp."""
    files = files_in(tmp_path)
    files.put(TOKENS, CELLS)
    damage(stored(tmp_path)[0])

    assert files.get(TOKENS) is None

    assert stored(tmp_path) == []
    assert files.tally.counts() == {"prefix.written": 1, "prefix.bad": 1}


def test_a_foreign_file_is_a_miss(tmp_path: Path) -> None:
    """Cells of another model, build or user don't pass, under their own name or under ours."""
    ours, theirs = files_in(tmp_path / "ours"), PrefixFiles(tmp_path / "ours", b"another model")
    stranger = files_in(tmp_path / "stranger")
    ours.put(TOKENS, CELLS)
    (name,) = stored(tmp_path / "ours")
    stranger.put(TOKENS, CELLS + 1)

    assert theirs.get(TOKENS) is None
    assert stored(tmp_path / "stranger")[0].name != name.name
    stored(tmp_path / "stranger")[0].replace(name)
    assert ours.get(TOKENS) is None
    assert ours.tally.counts()["prefix.bad"] == 1


def test_a_file_under_another_name_is_a_miss(tmp_path: Path) -> None:
    """One prefix can't stand in for another."""
    files = files_in(tmp_path)
    files.put(TOKENS, CELLS)
    (one,) = stored(tmp_path)
    files.put(TOKENS + 1, CELLS)
    (other,) = set(stored(tmp_path)) - {one}
    one.replace(other)

    assert files.get(TOKENS + 1) is None


@pytest.mark.parametrize("kind", ["link", "pipe", "folder"])
def test_what_is_no_file_is_a_miss(tmp_path: Path, kind: str) -> None:
    """A link is not followed, a pipe not waited for."""
    files = files_in(tmp_path)
    files.put(TOKENS, CELLS)
    (path,) = stored(tmp_path)
    moved = path.rename(tmp_path / "elsewhere")
    match kind:
        case "link":
            path.symlink_to(moved)
        case "pipe":
            os.mkfifo(path)
        case _:
            path.mkdir()

    assert files.get(TOKENS) is None
    assert moved.exists()


def test_the_least_used_files_go_first(tmp_path: Path) -> None:
    """The folder stays within its limit; drafts of a killed process count as well."""
    files = files_in(tmp_path, limit=16_000)
    draft = tmp_path / f"{'0' * 64}.{'f' * 16}"
    draft.write_bytes(bytes(4_000))
    os.utime(draft, (1, 1))
    for number in range(4):
        files.put(TOKENS + number, CELLS)
        for age, path in enumerate(stored(tmp_path)):
            os.utime(path, (1000 + age, 1000 + age))
        files.get(TOKENS)  # in use

    assert not draft.exists()
    assert len(stored(tmp_path)) == 3
    assert files.has(TOKENS)
    assert files.has(TOKENS + 3)
    files.put(TOKENS + 9, np.zeros(20_000, np.uint8))
    assert not files.has(TOKENS + 9)


def test_a_full_disk_is_survived(tmp_path: Path) -> None:
    """What can't be written is counted and leaves nothing behind."""
    files = files_in(tmp_path)
    before, handler = resource.getrlimit(resource.RLIMIT_FSIZE), signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (2_000, before[1]))
    try:
        files.put(TOKENS, CELLS)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, handler)

    assert [path.name for path in tmp_path.iterdir()] == ["secret"]
    assert files.get(TOKENS) is None
    assert files.tally.counts() == {"prefix.unwritable": 1, "prefix.miss": 1}


def test_a_folder_that_is_none_is_survived(tmp_path: Path) -> None:
    """Without a place to write to, everything is a miss."""
    (tmp_path / "file").touch()
    files = files_in(tmp_path / "file" / "prefixes")

    files.put(TOKENS, CELLS)

    assert files.get(TOKENS) is None


PLAN = Plan(n_ctx=1024, n_seq=2, n_threads=1)
GUIDELINES = Segment("Return errors, never print them. Name the unit of every number. " * 24, "system")


def ask(engine: LocalEngine, code: str) -> Choice:
    question = Choose("q", (Segment("Is it wrong? Answer Yes or No."),), ("Yes", "No"))
    (answer,) = engine.ask(Bundle((GUIDELINES, Segment(code)), (question,)))
    assert isinstance(answer, Choice)
    return answer


@pytest.mark.model
def test_the_next_process_begins_with_the_guidelines(small_model: ModelSpec, tmp_path: Path) -> None:
    """A second engine reads the system message from disk, with the same bits; a third finds it altered."""
    with load(small_model, PLAN) as engine:
        plain = ask(engine, "x = 1 / 0")
    with load(small_model, PLAN, prefixes=tmp_path) as engine:
        ask(engine, "print(7)")
    with load(small_model, PLAN, prefixes=tmp_path) as engine:
        restored = ask(engine, "x = 1 / 0")
    flip(4711)(stored(tmp_path)[0])
    with load(small_model, PLAN, prefixes=tmp_path) as engine:
        again = ask(engine, "x = 1 / 0")

    assert restored.usage.reused == 256
    assert again.usage.reused == plain.usage.reused == 0
    assert restored.logprobs == again.logprobs == plain.logprobs
    assert len(stored(tmp_path)) == 1


@pytest.mark.model
def test_another_plan_finds_nothing(small_model: ModelSpec, tmp_path: Path) -> None:
    """Cells of another KV type are not this engine's."""
    with load(small_model, PLAN, prefixes=tmp_path) as engine:
        ask(engine, "print(7)")
    with load(small_model, replace(PLAN, kv_type="q8_0"), prefixes=tmp_path) as engine:
        answer = ask(engine, "print(7)")

    assert answer.usage.reused == 0
    assert len(stored(tmp_path)) == 2
