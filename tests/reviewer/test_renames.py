"""Names that are renamed throughout a file."""

from __future__ import annotations

from dataclasses import replace
from difflib import unified_diff

import pytest

from hunkwise.engine import Scored, ScriptedEngine
from hunkwise.reviewer.config import Config
from hunkwise.reviewer.diff import parse_diff
from hunkwise.reviewer.judgement import Inquiry, read_evidence, read_with_context
from hunkwise.reviewer.renames import MOST_LOCAL, renamed, renames, renames_of
from hunkwise.reviewer.selection import select
from hunkwise.reviewer.types import Change, FileDiff

OLD = """\
def total(prices):
    amount = 0
    for price in prices:
        amount += price
    return amount


def largest(prices):
    return max(prices)
"""


def _change(old: str, new: str, path: str = "a.py") -> Change:
    diff = unified_diff(old.splitlines(), new.splitlines(), f"a/{path}", f"b/{path}", lineterm="")
    return replace(parse_diff(("\n".join(diff) + "\n").encode()), new_texts={path: new})


def _file(old: str, new: str, path: str = "a.py") -> FileDiff:
    (file,) = _change(old, new, path).files
    return file


def test_a_name_with_a_definition_is_renamed() -> None:
    """Wherever the old name stood the new one stands now."""
    new = OLD.replace("amount", "result")

    assert renames(_file(OLD, new), new) == {"amount": "result"}
    assert renamed("amount += amounts", {"amount": "result"}) == "result += amounts"


@pytest.mark.parametrize(
    "new",
    [
        OLD.replace("return amount", "return result").replace("amount += price", "result += price"),
        OLD.replace("amount", "prices"),
        OLD.replace("max", "min"),
        OLD.replace("return amount", "return price"),
        OLD.replace("amount = 0", "result = 0").replace("amount +=", "result -="),
    ],
    ids=["half of the places", "a name that was there", "not defined here", "one place", "other words too"],
)
def test_what_may_be_a_slip_is_no_rename(new: str) -> None:
    """A name that is left over, was taken, or is not the file's own, is read as any change."""
    assert renames(_file(OLD, new), new) == {}


def test_a_local_name_is_renamed_where_it_holds() -> None:
    """A variable of one function may be spelled like one of another, and like a field."""
    old = OLD + "\n\ndef count(row):\n    amount = len(row)\n    row.amount = amount\n    return amount\n"
    new = old.replace("amount = len(row)", "size = len(row)").replace("= amount\n", "= size\n")
    new = new[:-8] + new[-8:].replace("amount", "size")

    assert renames(_file(old, new), new) == {"amount": "size"}
    assert renamed("row.amount = amount", {"amount": "size"}) == "row.amount = size"


def test_a_field_is_renamed_with_all_its_uses() -> None:
    """A field holds in the whole file."""
    old = "class A:\n    def __init__(self):\n        self._fn = 1\n\n    def f(self):\n        return self._fn\n"
    new = old.replace("_fn", "path")

    assert renames(_file(old, new), new) == {"._fn": ".path"}
    assert renames(_file(old + "\nA()._fn\n", new + "\nA()._fn\n"), new + "\nA()._fn\n") == {}


def test_another_method_is_no_rename() -> None:
    """A method that is not defined here is not ours to rename; one that is may be."""
    old = "rows.append(a)\nrows.append(b)\n"
    method = (
        "class A:\n    def one(self):\n        return 1\n\n    def two(self):\n        return self.one()\n"
    )
    new = method.replace("one", "first")

    assert renames(_file(old, old.replace("append", "extend")), None) == {}
    assert renames(_file(method, new), new) == {"one": "first", ".one": ".first"}


def test_what_is_renamed_elsewhere_in_the_file_is_seen() -> None:
    """Names outside the hunks count where the file is known."""
    new = OLD.replace("largest(prices)", "largest(values)").replace("max(prices)", "max(values)")
    file = _file(OLD, new)

    assert renames(file, new) == {}


def test_two_names_for_one_are_no_rename() -> None:
    """Each old name has one new name, and the other way round; a place that has another name is a change."""
    old = "a = 1\nb = a\nc = a\n"

    assert renames(_file(old, "x = 1\nb = x\nc = y\n"), None) == {"a": "x"}
    assert renames(_file(old + "a = 2\n", "x = 1\nb = x\nc = y\ny = 2\n"), None) == {}
    assert renames(_file("a = a\nb = b\n", "x = x\nx = x\n"), None) == {}


@pytest.mark.parametrize(
    ("path", "old", "new"),
    [
        ("a.go", "func list() {}\nfunc b() { list() }\n", "func all() {}\nfunc b() { all() }\n"),
        ("a.go", "client := new()\nuse(client)\n", "peer := new()\nuse(peer)\n"),
        ("A.java", "int size = 1;\nuse(size);\n", "int length = 1;\nuse(length);\n"),
        ("a.js", "const first = 1\nuse(first)\n", "const start = 1\nuse(start)\n"),
        ("a.js", "use(row =>\n  row)\n", "use(line =>\n  line)\n"),
    ],
)
def test_definitions_of_other_languages(path: str, old: str, new: str) -> None:
    """Keywords, types and assignments define a name."""
    assert len(renames(_file(old, new, path), new)) == 1


def test_a_rename_alone_is_not_asked_about() -> None:
    """What else changed in a line is read with the new name on both sides."""
    only = _change(OLD, OLD.replace("amount", "result"))
    more = _change(OLD, OLD.replace("amount += price", "amount -= price").replace("amount", "result"))
    engine = ScriptedEngine(lambda _, question: Scored(question.id, ()))

    def spots(change: Change) -> list[str]:
        (pick,) = select(change, (), ())[0]
        names = renames_of((pick.file,), change.new_texts)[pick.file.path]
        context = read_with_context(pick, Inquiry(change, Config(), engine, renames=names))
        return [spot.reading.sides.old.text for spot in read_evidence(context, engine)]

    assert spots(only) == []
    assert any("result += price" in text and "amount" not in text for text in spots(more))


def test_names_are_looked_for_by_function_only_while_they_are_few() -> None:
    """What a hostile change costs is bounded: of thousands of names, those are found that left the file."""
    inside = "".join(f"    a{n} = 1\n    use(a{n})\n" for n in range(2000))
    outside = "".join(f"use(a{n})\n" for n in range(1000))
    old, new = (f"def f():\n{text}\n{outside}" for text in (inside, inside.replace("a", "b")))

    assert 1000 <= len(renames(_file(old, new), new)) <= 1000 + MOST_LOCAL
