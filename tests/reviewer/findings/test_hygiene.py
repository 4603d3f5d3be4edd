"""The checks that need no model."""

from __future__ import annotations

import sys
import time
import tomllib
import unicodedata
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hunkwise.reviewer.findings.checks import checks
from hunkwise.reviewer.text.redaction import plain, redact, secrets
from hunkwise.reviewer.types import Category, FileDiff, FileStatus, Finding, Hunk, Line, LineKind, Severity

# Spelt in two halves so that no scanner of secrets takes this file for a leak.
SECRETS = (
    "-----BEGIN RSA PRIVATE" + " KEY-----",
    "AKIA" + "IOSFODNN7EXAMPLE",
    "ghp_" + "a1B2" * 9,
    "github_pat_" + "a" * 82,
    "glpat-" + "a1b2c3d4e5f6g7h8i9j0",
    "xoxb-" + "123456789012-abcdefghij",
    "AIza" + "a" * 35,
    "sk_live_" + "0123456789abcdef",
    "npm_" + "a" * 36,
    "hf_" + "abcdefghij" * 3 + "abcd",
    "SG." + "a" * 22 + "." + "b" * 43,
)

BODY = "MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQC7VJTUt9Us8cKj"  # 64 characters of a key's body

CHARACTERS = tomllib.loads((Path(__file__).parents[2] / "cases" / "characters.toml").read_text("utf-8"))

HARMLESS = (
    "a" * 64,
    "sha256 = 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855'",
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    f"url = https://example.org/{BODY}",
    "key = os.environ['AWS_SECRET_ACCESS_KEY']",
    "-----BEGIN CERTIFICATE-----",
    "-----BEGIN PUBLIC KEY-----",
    "sha1 = 'da39a3ee5e6b4b0d3255bfef95601890afd80709'",
    "ghp_short",
    "=======",
    "<<<<<<<",
    "a << 7",
    "naïve café 日本語 emoji 🙂",
)


def _hunk(text: str) -> Hunk:
    return Hunk(0, 0, 1, 1, "", (Line("added", text, None, 1),))


def _findings(text: str, path: str = "a.py") -> tuple[Finding, ...]:
    file = FileDiff(path, path, FileStatus.MODIFIED, (_hunk(text),))
    return checks(file, file.hunks[0])


def _check(text: str) -> list[str]:
    return [found.title for found in _findings(text)]


def _change(path: str, text: str, old_path: str | None = None) -> tuple[Finding, ...]:
    """Check a file made of unified lines, each with its mark."""
    kinds: dict[str, LineKind] = {"+": "added", "-": "removed", " ": "context"}
    lines = tuple(
        Line(kinds[row[0]], row[1:], None if row[0] == "+" else at, None if row[0] == "-" else at)
        for at, row in enumerate(text.splitlines(), 1)
    )
    file = FileDiff(old_path, path, FileStatus.MODIFIED, (Hunk(1, 9, 1, 9, "", lines),))
    return checks(file, file.hunks[0])


@pytest.mark.parametrize("secret", SECRETS, ids=lambda text: text[:8])
def test_a_secret_is_found_and_never_quoted(secret: str) -> None:
    """A token of a published format is a critical security finding whose text does not hold it."""
    file = FileDiff(None, "a.py", FileStatus.ADDED, (_hunk(f'token = "{secret}"'),))
    (found,) = checks(file, file.hunks[0])

    assert (found.severity, found.category) == (Severity.CRITICAL, Category.SECURITY)
    assert secret not in found.title + found.message
    assert secret not in redact(f'token = "{secret}"')


@pytest.mark.parametrize("secret", SECRETS[1:], ids=lambda text: text[:8])
@pytest.mark.parametrize("before", ["\\n", "\\t", "%3D", "%20", "%3a", "=3D"])
def test_a_secret_behind_an_escape_is_found(before: str, secret: str) -> None:
    """The last letter of an escape is no part of the word that follows it."""
    assert len(_check(f'text = "user{before}{secret}"')) == 1
    assert secret not in redact(f'text = "user{before}{secret}"')


@pytest.mark.parametrize(
    "line",
    [
        BODY,
        f"    {BODY}==",
        f'  "{BODY}\\n" +',
        f"'{BODY}',",
        f"{BODY}ABCDEF",
        "key = '-----BEGIN PRIVATE" + f" KEY-----\\n{BODY}\\n{BODY}\\n-----END PRIVATE KEY-----'",
    ],
)
def test_the_body_of_a_key_is_hidden(line: str) -> None:
    """A key's lines of Base64 are hidden wherever they stand, and so is a key that is one long string."""
    assert BODY[8:40] not in redact(line)
    assert len(redact(line)) == len(line)


@pytest.mark.parametrize("text", HARMLESS)
def test_ordinary_lines_raise_no_alarm(text: str) -> None:
    """Code that merely talks of keys, hashes or foreign scripts is left alone, and not altered."""
    assert _check(text) == []
    assert redact(text) == text


@pytest.mark.parametrize("text", ["<<<<<<< HEAD", ">>>>>>> feature/x", "||||||| 3f2a1b9"])
def test_a_conflict_marker_is_found(text: str) -> None:
    """The markers that git writes with a name behind them are found."""
    assert _check(text) == ["Merge conflict marker left in"]


@pytest.mark.parametrize("case", CHARACTERS["deceiving"], ids=lambda case: case["what"])
def test_characters_that_deceive_are_named(case: dict[str, Any]) -> None:
    """One remark on the line names each kind, and repeats none of them."""
    (found,) = _findings(case["line"])

    assert found.category in (Category.SECURITY, Category.CORRECTNESS)
    for code in case["named"]:
        char = chr(int(code.removeprefix("U+"), 16))
        assert code in found.message
        assert char not in found.title + found.message


@pytest.mark.parametrize("case", CHARACTERS["harmless"], ids=lambda case: case["what"])
def test_what_a_script_needs_raises_no_alarm(case: dict[str, Any]) -> None:
    """Persian, emoji, formulas and blanks of print are left alone where they belong, and not altered."""
    assert _findings(case["line"]) == ()
    assert plain(case["line"]) == case["line"]


def test_no_unseen_character_of_unicode_is_passed_over() -> None:
    """All controls, format characters and separators but newline and tab are named in the middle of a name."""
    unseen = {
        chr(code)
        for code in range(sys.maxunicode + 1)
        if unicodedata.category(chr(code)) in {"Cc", "Cf", "Zl", "Zp", "Zs"}
    } - {"\n", "\t", " "}

    assert [f"U+{ord(char):04X}" for char in unseen if not _findings(f"ad{char}min = 1")] == []


def test_several_kinds_on_a_line_are_one_remark() -> None:
    """The worst gives the title, and each kind is named once with all its columns."""
    (found,) = _findings("a\u200bb\u200bc\u00a0d\u0430")

    assert found.title == "Hidden Unicode characters"
    assert "U+200B ZERO WIDTH SPACE (columns 2, 4)" in found.message
    assert "U+00A0 NO-BREAK SPACE (column 6)" in found.message
    assert "U+0430 CYRILLIC SMALL LETTER A (column 8)" in found.message


def test_a_remark_on_many_characters_stays_short() -> None:
    """A line of nothing but hidden characters is said in few words, with how many more there are."""
    (found,) = _findings("".join(chr(0xE0000 + at % 96) for at in range(9000)))

    assert len(found.message) < 3000
    assert "other kinds" in found.message


@pytest.mark.parametrize("path", ["a.md", "README.RST", "notes.txt"])
def test_blanks_and_letters_are_free_in_prose(path: str) -> None:
    """Print has its blanks, and words are no names; what nobody sees is named there too."""
    assert _findings("a\u00a0b \u0430dmin", path) == ()
    assert [found.title for found in _findings("a\u200bb", path)] == ["Hidden Unicode characters"]
    assert _check("a\u00a0b") == ["Blanks that are no spaces"]
    assert [found.title for found in _findings("a\u00a0b \u0430dmin", "a.html")] == [
        "Letters that look like others"
    ]


def test_a_byte_order_mark_begins_a_file_only() -> None:
    """At the beginning of the first line it is ordinary; elsewhere nobody sees it."""
    assert _check("\ufeffimport os") == []
    assert _check("import\ufeff os") == ["Hidden Unicode characters"]


def test_removed_and_context_lines_are_not_checked() -> None:
    """Taking a secret out is no finding."""
    lines = (Line("removed", SECRETS[1], 1, None), Line("context", SECRETS[1], 2, 1))
    hunk = Hunk(1, 2, 1, 1, "", lines)

    assert checks(FileDiff("a", "a", FileStatus.MODIFIED, (hunk,)), hunk) == ()


def test_the_model_reads_neither_secrets_nor_hidden_characters() -> None:
    """What is left is what a person sees; other scripts stay as they are."""
    assert plain(f"if adm\u200bin: # \u202e naïve 日本 {SECRETS[1]}") == f"if admin: #  naïve 日本 {'*' * 20}"


@pytest.mark.parametrize("secret", SECRETS[1:], ids=lambda text: text[:8])
@pytest.mark.parametrize("veil", ["\u200b", "\u00ad", "\u3164", "\x08", "\u2028", "\ufe0f", "\U000e0041"])
def test_a_secret_behind_hidden_characters_is_found(secret: str, veil: str) -> None:
    """Between its letters, or right before and behind it, where no word could begin or end."""
    for veiled in (f"{secret[:6]}{veil}{secret[6:]}", f"x{veil}{secret[:9]}{veil}{secret[9:]}{veil}y"):
        titles = _check(f'key = "{veiled}"')
        assert len(titles) == 2
        assert any(title.startswith("This line holds") for title in titles)
        assert secret[6:12] not in redact(f'key = "{veiled}"')
        assert secret[-6:] not in plain(f'key = "{veiled}"')


def test_each_secret_is_a_remark_of_its_own() -> None:
    """Also two on one line, and none shows any of them."""
    one, two = (f"AKIA{letter * 16}" for letter in "AB")
    found = _findings(f"a = '{one}'; b = '{two}'")

    assert [each.title for each in found] == ["This line holds an AWS access key id"] * 2
    assert len({each.fingerprint for each in found}) == 2
    assert one[4:] not in repr(found)
    assert two[4:] not in repr(found)


def test_a_secret_is_known_again_by_itself() -> None:
    """Another key in the same variable is another remark; the same key on another line, or veiled, is the same."""

    def name(line: str) -> str:
        return _findings(line)[0].fingerprint

    one, two = (f"AKIA{letter * 16}" for letter in "AB")
    assert name(f"key = '{one}'") != name(f"key = '{two}'")
    assert name(f"key = '{one}'") == name(f"    other = ('{one}',)")
    assert name(f"key = '{one}'") == name(f"key = '{one[:5]}\u200b{one[5:]}'")


def test_a_private_key_is_known_by_its_body() -> None:
    """A new key between the same two lines is new; indentation and quotes don't matter."""
    begin, end = "-----BEGIN PRIVATE" + " KEY-----", "-----END PRIVATE KEY-----"
    other = BODY[::-1]
    first = _change("a.pem", f"+{begin}\n+{BODY}\n+{end}\n")
    second = _change("a.pem", f"+{begin}\n+{other}\n+{end}\n")
    quoted = _change("a.pem", f"+ '{begin}\\n'\n+ '{BODY}\\n'\n+ '{end}'\n")
    swapped = _change("a.pem", f" {begin}\n-{BODY}\n+{other}\n {end}\n")

    assert [len(found) for found in (first, second, quoted, swapped)] == [1, 1, 1, 1]
    assert first[0].fingerprint != second[0].fingerprint
    assert second[0].fingerprint == swapped[0].fingerprint
    assert swapped[0].start_line == 3
    assert _change("a.pem", f" {begin}\n {BODY}\n {end}\n+x\n") == ()


def test_the_name_of_a_new_file_is_checked() -> None:
    """A secret or hidden characters in it are remarks; a name that was there is not looked at again."""
    path = f"keys/{SECRETS[1]}/ad\u200bmin.py"

    assert [found.title for found in _change(path, "+x\n")] == [
        "This file's name holds an AWS access key id",
        "Hidden Unicode characters in the file's name",
    ]
    assert _change(path, "+x\n", path) == ()
    assert _change("src/имя.py", "+x\n") == ()


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("x = 1  # hunkwise: ignore[secruity]", "did you mean security?"),
        ("x = 1  # hunkwise: ignore[security, speed] -- fine", "'speed' is no category"),
        ("x = 1  # hunkwise: ignore until tomorrow", "'tomorrow' is no day"),
        ("x = 1  # hunkwise: ignore[security", "not closed"),
        ("x = 1  # hunkwise: ignore security", "not understood"),
        ("x = 1  # hunkwise: ignore (security)", "not understood"),
    ],
)
def test_a_comment_that_silences_nothing_is_remarked_on(line: str, told: str) -> None:
    """It says what of it is not understood."""
    (found,) = _findings(line)

    assert (found.severity, found.title) == (Severity.LOW, "This comment does not silence what it should")
    assert told in found.message


UNSEEN_CHARS = st.sampled_from(
    "\u200b\u00ad\u3164\x08\x00\x9b\u2028\ufe0f\u202e\u17b4\u2800\U000e0041\U000e0155\U0001d173\r"
)


@settings(deadline=None, max_examples=200)
@given(
    secret=st.sampled_from(SECRETS[1:]),
    veil=st.lists(st.tuples(st.integers(0, 120), UNSEEN_CHARS), max_size=12),
    before=st.sampled_from(["", "key = '", "x", "\u200b", "é "]),
)
def test_no_veil_hides_a_secret(secret: str, veil: list[tuple[int, str]], before: str) -> None:
    """Wherever unseen characters stand in it, it is shown by nothing, and what is hidden keeps its length."""
    veiled = list(secret)
    for at, char in veil:
        veiled.insert(1 + at % (len(veiled) - 1), char)
    text = before + "".join(veiled) + "'"
    if before == "x" and not veil:
        return  # no secret: a word that only ends like one
    hidden = redact(text)

    assert len(hidden) == len(text)
    assert redact(hidden) == hidden
    assert all(secret[at : at + 6] not in plain(text) for at in range(4, len(secret) - 6))


@pytest.mark.parametrize("piece", ["a1b2+", "AKIA", "sk-", "-----BEGIN ", "\u200b", "a\u200b"])
def test_a_long_line_takes_little_time(piece: str) -> None:
    """Formats are tried only where one may begin, so that a line of megabytes costs as much as its length."""
    line = piece * (1_000_000 // len(piece)) + f" '{SECRETS[1]}'"
    start = time.process_time()
    assert secrets(line)[-1].value == SECRETS[1]
    assert time.process_time() - start < 5
