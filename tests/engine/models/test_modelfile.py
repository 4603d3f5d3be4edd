"""The Modelfile language: a corpus of good and bad files, and round trips."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hunkwise.engine.errors import ModelfileError
from hunkwise.engine.models.modelfile.instructions import INSTRUCTIONS, ROLES
from hunkwise.engine.models.modelfile.modelfile import Command, Modelfile, parse, render
from hunkwise.engine.models.modelfile.parameters import KNOWN

CASES = Path(__file__).parents[2] / "cases" / "modelfile"
GOOD = sorted((CASES / "good").glob("*.modelfile"))
BAD = sorted((CASES / "bad").glob("*.modelfile"))


def plain(value: Any) -> Any:
    """Return what JSON would give back."""
    return json.loads(json.dumps(dict(value) if hasattr(value, "items") else value))


@pytest.mark.parametrize("path", GOOD, ids=lambda path: path.stem)
def test_good(path: Path) -> None:
    """A good Modelfile gives the commands and values its JSON neighbour lists."""
    expected = json.loads(path.with_suffix(".json").read_text(encoding="utf-8"))
    modelfile = parse(path.read_bytes())
    modelfile.check()
    assert [[c.name, c.key, c.value] for c in modelfile.commands] == expected.pop("commands")
    for name, value in expected.items():
        found = modelfile.parameters() if name == "parameters" else getattr(modelfile, name)
        assert plain(found) == value, name


@pytest.mark.parametrize("path", GOOD, ids=lambda path: path.stem)
def test_good_survives_rendering(path: Path) -> None:
    """What is parsed, written and parsed again is the same, and writing it twice gives the same text."""
    modelfile = parse(path.read_bytes())
    text = render(modelfile)
    assert parse(text) == modelfile
    assert render(parse(text)) == text


@pytest.mark.parametrize("path", BAD, ids=lambda path: path.stem)
def test_bad(path: Path) -> None:
    """A bad Modelfile gives the one-line error of its text neighbour."""
    with pytest.raises(ModelfileError) as caught:
        parse(path.read_bytes()).check()
    assert str(caught.value) + "\n" == path.with_suffix(".txt").read_text(encoding="utf-8")


TEXTS = {
    text for path in GOOD if not (text := path.read_bytes()).startswith((b"\xff\xfe", b"\xfe\xff", b"\xef"))
}


@pytest.mark.parametrize("ends", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("head", ["", "# größe\n", "#一二三四五六七八九十\n", "\n \n"])
def test_every_encoding_is_read_or_refused(head: str, ends: str) -> None:
    """UTF-8 and marked UTF-16 say the same; all else is named, and never taken for something else."""
    for data in TEXTS:
        text = (head + data.decode("utf-8")).replace("\r\n", "\n").replace("\n", ends)
        wanted = [(command, command.line, command.column) for command in parse(text).commands]
        little, big = text.encode("utf-16-le"), text.encode("utf-16-be")
        for good in (text.encode(), b"\xef\xbb\xbf" + text.encode(), b"\xff\xfe" + little, b"\xfe\xff" + big):
            assert [(command, command.line, command.column) for command in parse(good).commands] == wanted
        for bad in (little, big, text.encode("utf-32-le"), text.encode("utf-32-be"), text.encode("utf-32")):
            with pytest.raises(ModelfileError, match=r"^m:1:1: this is UTF-(16|32)(;| without)"):
                parse(bad, "m")


def test_place_of_a_command() -> None:
    """Commands know their line and column, 1-based, and CR LF ends one line, not two."""
    modelfile = parse("\r\n# c\r\n \tFROM a\r\nSYSTEM b\r\n")
    assert [(c.line, c.column) for c in modelfile.commands] == [(3, 3), (4, 1)]


def test_source_is_named() -> None:
    """Errors name the file they are about."""
    with pytest.raises(ModelfileError, match=r"^reviewer\.Modelfile:1:1: unknown") as caught:
        parse("FRM a", "reviewer.Modelfile")
    assert (caught.value.source, caught.value.line, caught.value.column) == ("reviewer.Modelfile", 1, 1)


def test_absent_values_are_none_or_empty() -> None:
    """A file with only FROM has no other value."""
    modelfile = parse("FROM a")
    assert modelfile.base == "a"
    assert (modelfile.system, modelfile.template, modelfile.requires, modelfile.draft) == (None,) * 4
    assert not any((modelfile.adapters, modelfile.messages, modelfile.licenses, modelfile.warnings))
    assert modelfile.parameters() == {}


@pytest.mark.parametrize("value", ["a\x00b", '"""x"""\n"y', 'a"\n"""\nb'])
def test_inexpressible_value(value: str) -> None:
    """A value that no quoting can express is refused instead of being written wrong."""
    with pytest.raises(ModelfileError, match="can't be written"):
        render(Modelfile((Command("SYSTEM", value),)))


def test_every_parameter_is_in_the_corpus() -> None:
    """The corpus sets each known parameter once."""
    text = (CASES / "good" / "every-parameter.modelfile").read_text()
    assert set(parse(text).parameters()) == set(KNOWN)


def test_a_long_unclosed_value_is_read_in_linear_time() -> None:
    """A megabyte of open quotes is refused within seconds."""
    started = time.monotonic()
    with pytest.raises(ModelfileError, match="never closed"):
        parse('FROM a\nSYSTEM """' + 'x " y\n' * 150_000)
    assert time.monotonic() - started < 10


values = st.text(st.sampled_from("ab \"\n\r\t#\\'é\u00a0{}") | st.characters(codec="utf-8"), max_size=30)
commands = st.one_of(
    st.builds(
        Command, st.sampled_from([n for n in INSTRUCTIONS if n not in ("PARAMETER", "MESSAGE")]), values
    ),
    st.builds(Command, st.just("PARAMETER"), values, st.from_regex(r"[A-Za-z0-9_]+", fullmatch=True)),
    st.builds(Command, st.just("MESSAGE"), values, st.sampled_from(ROLES)),
)


@settings(max_examples=200, deadline=None)
@given(st.lists(commands, max_size=5))
def test_rendered_commands_parse_back(listed: list[Command]) -> None:
    """Whatever can be written at all is read back as it was."""
    modelfile = Modelfile((Command("FROM", "base"), *listed))
    try:
        text = render(modelfile)
    except ModelfileError:
        return
    assert parse(text) == modelfile


lines = st.lists(
    st.tuples(
        st.sampled_from(["FROM ", "SYSTEM ", "PARAMETER stop ", "MESSAGE user ", "# ", "", "TEMPLATE\t"]),
        st.text(st.sampled_from('ab "\t#') | st.characters(codec="utf-8"), max_size=12),
        st.sampled_from(["\n", "\r\n", "\r", '"\n', '"""\n', ""]),
    ).map("".join),
    max_size=8,
).map("".join)


@settings(max_examples=300, deadline=None)
@given(st.text() | lines | st.binary())
def test_any_text_parses_or_gives_a_placed_error(text: str | bytes) -> None:
    """Any input parses, and then survives rendering, or raises ModelfileError with a place."""
    try:
        modelfile = parse(text)
    except ModelfileError as error:
        placed = error.line >= 1 and error.column >= 1
        assert placed
        return
    assert parse(render(modelfile)) == modelfile
    assert "\n" not in "".join(modelfile.warnings)
