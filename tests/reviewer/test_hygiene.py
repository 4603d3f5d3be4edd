"""The checks that need no model."""

from __future__ import annotations

import pytest

from hunkwise.reviewer.hygiene import plain, redact, remarks
from hunkwise.reviewer.types import Category, FileDiff, FileStatus, Hunk, Line, Severity

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


def _check(text: str) -> list[str]:
    file = FileDiff(None, "a.py", FileStatus.ADDED, (_hunk(text),))
    return [remark.title for remark in remarks(file, file.hunks[0])]


@pytest.mark.parametrize("secret", SECRETS, ids=lambda text: text[:8])
def test_a_secret_is_found_and_never_quoted(secret: str) -> None:
    """A token of a published format is a critical security finding whose text does not hold it."""
    file = FileDiff(None, "a.py", FileStatus.ADDED, (_hunk(f'token = "{secret}"'),))
    (found,) = remarks(file, file.hunks[0])

    assert (found.severity, found.category, found.secret) == (Severity.CRITICAL, Category.SECURITY, True)
    assert secret not in found.title + found.message
    assert secret not in redact(f'token = "{secret}"')


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


@pytest.mark.parametrize("char", ["\u202e", "\u2066", "\u200b", "\U000e0041", "\u2060", "\u200f"])
def test_hidden_unicode_is_named(char: str) -> None:
    """A character that no reader sees is a finding that names its code point."""
    file = FileDiff(None, "a.py", FileStatus.ADDED, (_hunk(f"if admin{char}:"),))
    (found,) = remarks(file, file.hunks[0])

    assert found.title == "Hidden Unicode characters"
    assert f"U+{ord(char):04X}" in found.message
    assert char not in found.message


def test_bytes_in_variation_selectors_are_named() -> None:
    """Selectors in a row carry bytes; one alone picks the glyph of an emoji or a Chinese character."""
    assert _check("x = '\U0001f600" + "\U000e0148\U000e0155" + "'") == ["Hidden Unicode characters"]
    assert _check("x = 'a\ufe01\ufe02'") == ["Hidden Unicode characters"]
    assert _check("x = '\u2764\ufe0f \u845b\U000e0100'") == []


def test_a_byte_order_mark_begins_a_file_only() -> None:
    """At the beginning of the first line it is ordinary; elsewhere nobody sees it."""
    assert _check("\ufeffimport os") == []
    assert _check("import\ufeff os") == ["Hidden Unicode characters"]


def test_removed_and_context_lines_are_not_checked() -> None:
    """Taking a secret out is no finding."""
    lines = (Line("removed", SECRETS[1], 1, None), Line("context", SECRETS[1], 2, 1))
    hunk = Hunk(1, 2, 1, 1, "", lines)

    assert remarks(FileDiff("a", "a", FileStatus.MODIFIED, (hunk,)), hunk) == ()


def test_the_model_reads_neither_secrets_nor_hidden_characters() -> None:
    """What is left is what a person sees; other scripts stay as they are."""
    assert plain(f"if adm\u200bin: # \u202e naïve 日本 {SECRETS[1]}") == f"if admin: #  naïve 日本 {'*' * 20}"
