"""Files in passages: nothing lost, lines true, titles from headings and symbols."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hunkwise.reviewer.knowledge.pieces import pieces
from hunkwise.reviewer.knowledge.reading.file import answer, careful
from hunkwise.reviewer.knowledge.reading.kinds import kind_of
from hunkwise.reviewer.knowledge.reading.markup import html_parts
from hunkwise.reviewer.knowledge.words import asked, parts

LINES = st.lists(st.sampled_from(["", "a", "def f():", "x" * 900, "word " * 500, "\u2028", "}"]), max_size=12)

LONG = "x" * 610  # what is shorter is joined with its neighbours
PYTHON = f'''"""Doc."""
K = "{LONG}"

# about f
@mark
def f():
    def g():
        return "{LONG}"


class C:
    X = "{LONG}"
    def m(self):
        return "{LONG}"

    def n(self):
        pass

    def o(self):
        pass

LAST = "{LONG}"
'''


@given(LINES, st.integers(1, 40))
def test_pieces_fit_and_lose_nothing(lines: list[str], room: int) -> None:
    cut = list(pieces(lines, 1, lambda text: len(text) <= room * 50))

    assert "".join("".join(text for _, _, text in cut).split()) == "".join("".join(lines).split())
    assert all(len(text) <= room * 50 for _, _, text in cut)
    for first, last, text in cut:
        assert text in "\n".join(lines[first - 1 : last])


def _read(folder: Path, name: str, text: str) -> list[tuple[int, int, str]]:
    (folder / name).write_text(text)
    told = answer((str(folder), name, "", "sha1"))
    assert told["reason"] == ""
    return [(first, last, title) for first, last, title, *_ in told["passages"]]


@pytest.mark.parametrize(
    ("name", "text", "titles"),
    [
        ("a.md", "---\nx: 1\n---\n# A\n\na\n## B ##\nb\n~~~\n# no\n~~~\n\nSet\n---\nc\n# D\n## E\ne\n",
         [(1, 3, ""), (4, 6, "A"), (7, 11, "A > B"), (13, 15, "A > Set"), (17, 18, "D > E")]),
        ("a.rst", "=====\nTitle\n=====\n\na\n\nPart\n----\nb\n\nSub\n...\nc\n\nPart 2\n------\nd\n",
         [(1, 5, "Title"), (7, 9, "Title > Part"), (11, 13, "Title > Part > Sub"), (15, 17, "Title > Part 2")]),
        ("a.adoc", "= A\n\na\n----\n== no\n----\n== B\nb\n", [(1, 6, "A"), (7, 8, "A > B")]),
        ("a.org", "* A\na\n#+begin_src\n* no\n#+end_src\n** B\nb\n", [(1, 5, "A"), (6, 7, "A > B")]),
        ("a.txt", "plain\n", [(1, 1, "")]),
        ("a.py", PYTHON,
         [(1, 2, "K"), (4, 8, "f"), (11, 12, "C"), (13, 14, "C.m"), (16, 20, "C.n, C.o"),
          (22, 22, "LAST")]),
        ("a.go", f"package a\n\n// F does.\nfunc F() {{\n\tx(`{LONG}`)\n}}\n\nfunc G() {{\n}}\n",
         [(1, 1, ""), (3, 6, "F"), (8, 9, "G")]),
        ("a.toml", "[a]\nb = 1\n", [(1, 2, "")]),
    ],
)  # fmt: skip
def test_files_are_cut_by_what_they_are(
    tmp_path: Path, name: str, text: str, titles: list[tuple[int, int, str]]
) -> None:
    found = _read(tmp_path, name, text)

    assert found == titles


def test_a_row_of_a_page_stays_one_line() -> None:
    row = "<tr><td><b>Mail</b></td>\n<td>Anna <i>Berg</i></td></tr>"
    ((_, lines),) = html_parts(f"<table><tr><th>System</th><th>Owner</th></tr>\n{row}</table><p>End</p>")
    assert lines == [(1, "System | Owner"), (2, "Mail | Anna Berg"), (3, "End")]


def test_what_kills_a_grammar_is_read_without(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text("def f():\n    pass\n")

    told = careful((str(tmp_path), "a.py", "", "sha1"))

    assert (told["definitions"], [row[2] for row in told["passages"]]) == ([], ["f"])


def test_a_pdf_is_read_by_page(tmp_path: Path) -> None:
    content = b"BT /F1 12 Tf 1 1 Td (The tide turns.) Tj ET"
    parts_of = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R 3 0 R] /Count 2 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 9 9] /Contents 4 0 R /Resources 6 0 R >>",
        b"<< /Length %d >>\nstream\n%s\nendstream" % (len(content), content),
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
        b"<< /Font << /F1 5 0 R >> >>",
    ]
    data = b"%PDF-1.4\n"
    places = []
    for number, part in enumerate(parts_of, 1):
        places.append(len(data))
        data += b"%d 0 obj\n%s\nendobj\n" % (number, part)
    table = b"".join(b"%010d 00000 n \n" % place for place in places)
    start = len(data)
    data += b"xref\n0 7\n0000000000 65535 f \n" + table
    data += b"trailer\n<< /Size 7 /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n" % start
    (tmp_path / "a.pdf").write_bytes(data)
    (tmp_path / "broken.pdf").write_bytes(b"%PDF-1.4\nnothing")

    told = answer((str(tmp_path), "a.pdf", "", "sha1"))

    assert [row[:4] for row in told["passages"]] == [
        (1, 1, "page 1", "The tide turns."),
        (2, 2, "page 2", "The tide turns."),
    ]
    assert answer((str(tmp_path), "broken.pdf", "", "sha1"))["reason"] == "a damaged PDF"


def test_identifiers_are_taken_apart() -> None:
    assert parts("HTTPServer2 read_regular plain") == "http server read regular readregular"
    assert asked("How is readRegular_file used?") == [
        "readregular",
        "file",
        "read",
        "regular",
        "readregularfile",
    ]
    assert "数据" in parts("向量数据库").split()
    assert asked("of the") == ["of", "the"]


def test_a_file_is_told_by_its_name() -> None:
    wanted = {
        "a.md": ("document", "markdown"), "x/Makefile": ("code", "make"), "a.PY": ("code", "python"),
        "LICENSE": ("document", "text"), "a.h": ("code", "c"), ".gitignore": ("code", "gitignore"),
        "b.pdf": ("document", "pdf"),
    }  # fmt: skip

    assert {name: kind_of(name) for name in wanted} == wanted
