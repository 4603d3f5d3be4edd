"""What a change says in other words: renames, inlined names, parameters that went."""

from __future__ import annotations

import pytest
from edits import asked, edit

from hunkwise.reviewer.judge.scope.askable import told_of
from hunkwise.reviewer.languages.inlining import inlined
from hunkwise.reviewer.languages.refactorings import restated
from hunkwise.reviewer.languages.renames import MOST_LOCAL, renamed, renames
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


def _file(old: str, new: str, path: str = "a.py") -> FileDiff:
    (file,) = edit(old, new, path).files
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
    more = edit(OLD, OLD.replace("amount += price", "amount -= price").replace("amount", "result"))

    assert asked(edit(OLD, OLD.replace("amount", "result"))) == []
    assert any("result += price" in text and "amount" not in text for text in asked(more))


def test_names_are_looked_for_by_function_only_while_they_are_few() -> None:
    """What a hostile change costs is bounded: of thousands of names, those are found that left the file."""
    inside = "".join(f"    a{n} = 1\n    use(a{n})\n" for n in range(2000))
    outside = "".join(f"use(a{n})\n" for n in range(1000))
    old, new = (f"def f():\n{text}\n{outside}" for text in (inside, inside.replace("a", "b")))

    assert 1000 <= len(renames(_file(old, new), new)) <= 1000 + MOST_LOCAL


ALIAS = """\
function Launcher (limit) {
  const self = this
  this.limit = limit

  this.on('done', () => {
    if (self.limit > 0) {
      self.restart()
    }
  })
}
"""
DIRECT = ALIAS.replace("  const self = this\n", "").replace("self", "this")


def test_an_inlined_name_is_not_asked_about() -> None:
    """Where an alias went and its value stands, nothing changed; what else changed is read."""
    assert inlined(_file(ALIAS, DIRECT, "a.js"), DIRECT) == {"self": "this"}
    assert restated("  const self = this", {"self": "this"}) is None
    assert restated("  self.restart()", {"self": "this"}) == "  this.restart()"
    assert restated("  this.self = this", {"self": "this"}) == "  this.self = this"
    assert restated("x = x", {}) == "x = x"
    assert asked(edit(ALIAS, DIRECT, "a.js")) == []
    assert asked(edit(ALIAS, DIRECT.replace("> 0", ">= 0"), "a.js")) == [
        "    if (this.limit > 0) {\n      this.restart()\n"
    ]


@pytest.mark.parametrize(
    ("path", "old", "new"),
    [
        ("a.go", "c := New(a, b)\nreturn c.Run()\n", "return New(a, b).Run()\n"),
        ("A.java", "List<String> all = load(x);\nuse(all);\n", "use(load(x));\n"),
        ("a.py", "size: int = len(rows)\nif size > 1:\n    pass\n", "if len(rows) > 1:\n    pass\n"),
        ("a.c", "char *end = s + n;\ncopy(end);\n", "copy(s + n);\n"),
    ],
)
def test_inlined_names_of_other_languages(path: str, old: str, new: str) -> None:
    """Types and keywords before a name, and brackets in its value, are understood."""
    assert len(inlined(_file(old, new, path), new)) == 1
    assert asked(edit(old, new, path)) == []


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("a = load()\nuse(a)\n", "use(b)\n"),
        ("a = load()\nuse(a)\n", "use()\n"),
        ("a = load()\nuse(a)\nkeep(a)\n", "use(load())\nkeep(a)\n"),
        ("a = load()\nuse(a)\na = other()\nuse(a)\n", "use(load())\nuse(load())\n"),
        ("a = load()\nuse(a)\nuse(a)\n", "use(load())\nuse()\n"),
        ("lock.acquire()\na = 1\n", "a = 1\n"),
    ],
    ids=["another value", "no value", "still used", "two values", "once of twice", "a call that went"],
)
def test_what_may_be_a_slip_is_not_inlined(old: str, new: str) -> None:
    """A value that is not in every place, or a name that is left over, is read as any change."""
    assert inlined(_file(old, new), new) == {}


CALLS = """\
func run(ctx context.Context, ci string) error {
	client, err := connect(ctx, token)
	return err
}

func connect(_ context.Context, token string) (*Client, error) {
	return dial(token)
}

func main() {
	if err := run(ctx, opt.ci); err != nil {
		panic(err)
	}
}
"""
FEWER = (
    CALLS.replace("(ctx context.Context, ci string)", "()")
    .replace("run(ctx, opt.ci)", "run()")
    .replace("connect(ctx, token)", "connect(token)")
    .replace("connect(_ context.Context, ", "connect(")
)


def test_parameters_that_went_with_their_arguments_are_not_asked_about() -> None:
    """A definition and all its calls that changed alike say nothing."""
    assert asked(edit(CALLS, FEWER, "a.go")) == []
    assert told_of(edit(CALLS, FEWER, "a.go").files, lambda file: None)["a.go", 0].refactorings == {
        "run(ctx context.Context, ci string)": "run()",
        "run(ctx, opt.ci)": "run()",
        "connect(_ context.Context, token string)": "connect(token string)",
        "connect(ctx, token)": "connect(token)",
    }


@pytest.mark.parametrize(
    "new",
    [
        FEWER + "\nfunc again() { run(ctx, opt.ci) }\n",
        CALLS.replace("run(ctx, opt.ci)", "run(ctx)"),
        CALLS.replace("run(ctx, opt.ci)", "run(opt.ci, ctx)"),
        CALLS.replace("dial(token)", "dial()"),
        CALLS.replace("run(ctx context.Context, ci string)", "run()").replace("run(ctx, opt.ci)", "run(ctx)"),
    ],
    ids=["a call as it was", "the definition as it was", "swapped", "not defined here", "not alike"],
)
def test_other_changes_of_arguments_are_read(new: str) -> None:
    """Arguments that went without their parameter, or changed places, may be a slip."""
    old = CALLS + (new[len(FEWER) :] if new.startswith(FEWER) else "")
    change = edit(old, new, "a.go")
    told = told_of(change.files, change.text)["a.go", 0].refactorings

    assert not any(name.startswith("run(") for name in told)


def test_calls_in_other_files_of_the_change() -> None:
    """A function's definition may stand in another file than its calls."""
    there = edit("def load(path, mode):\n    pass\n", "def load(path):\n    pass\n", "a.py")
    here = edit("x = load(p, 'r')\n", "x = load(p)\n", "b.py")
    both = Change((*there.files, *here.files), new_texts={**there.new_texts, **here.new_texts})
    told = {key: told.refactorings for key, told in told_of(both.files, both.text).items()}

    assert told == {("a.py", 0): {"load(path, mode)": "load(path)"}, ("b.py", 0): {"load(p, 'r')": "load(p)"}}
    assert restated("reload(p, 'r')", told["b.py", 0]) == "reload(p, 'r')"


def test_hostile_lines_cost_little() -> None:
    """Brackets that never close, names without end and thousands of definitions are looked at once."""
    old = "".join(f"a{n} = f{n}({'(' * 100}\n" for n in range(2000)) + "x " * 50_000 + "= y\n"
    new = "".join(f"f{n}({'[' * 100}\n" for n in range(2000)) + "y " * 50_000 + "\n"

    change = edit(old, new)
    assert told_of(change.files, change.text)["a.py", 0].refactorings == {}


@pytest.mark.parametrize(
    "new",
    [
        OLD.replace("amount", "result").replace("    result = 0", "    # approved by all\n    result = 0"),
        OLD.replace("amount", "result").replace("result = 0", "result = 0  # in cents"),
    ],
)
def test_a_comment_does_not_hide_a_refactoring(new: str) -> None:
    """Nor does one that goes: the code is a rename and is not asked about."""
    assert asked(edit(OLD, new)) == []
    assert asked(edit(new, OLD)) == []
