"""Checks that need no model and don't guess: hidden Unicode, conflict markers, private keys, secret tokens.

The token formats are those their issuers publish, as collected by gitleaks (MIT,
https://github.com/gitleaks/gitleaks/blob/master/config/gitleaks.toml); only formats with a fixed, telling
prefix are taken, so that a match is no guess. A secret is never quoted back.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass

from hunkwise.reviewer.types import Category, FileDiff, Hunk, Line, Severity

_SECRETS: tuple[tuple[str, str], ...] = (
    (
        "a private key",  # with what follows on the line: in a string the whole key is one line
        r"-----BEGIN (?:[A-Z]+ )*PRIVATE KEY(?: BLOCK)?-----(?:\\[nr]|[A-Za-z0-9+/=\s])*",
    ),
    ("an AWS access key id", r"\b(?:AKIA|ASIA|ABIA|ACCA)[A-Z2-7]{16}\b"),
    ("a GitHub token", r"\b(?:gh[pousr]_[0-9A-Za-z]{36}|github_pat_\w{82})\b"),
    ("a GitLab token", r"\bgl(?:pat|ptt|dt|rt|cbt|ft|soat)-[\w-]{20,}"),
    ("a Slack token", r"\bxox[abeoprs]-(?:\d+-)?[0-9A-Za-z-]{10,}"),
    ("a Slack webhook", r"https://hooks\.slack\.com/(?:services|workflows|triggers)/[A-Za-z0-9+/]{40,}"),
    ("a Google API key", r"\bAIza[\w-]{35}\b"),
    ("a Stripe key", r"\b[sr]k_(?:live|prod)_[0-9A-Za-z]{10,99}\b"),
    ("an npm token", r"\bnpm_[0-9A-Za-z]{36}\b"),
    ("a PyPI token", r"\bpypi-AgEIcHlwaS5vcmc[\w-]{50,}"),
    ("an Anthropic key", r"\bsk-ant-(?:api|admin)\d\d-[\w-]{80,}"),
    ("an OpenAI key", r"\bsk-(?:proj-|svcacct-|admin-)?[\w-]{20,74}T3BlbkFJ[\w-]{20,74}"),
    ("a Hugging Face token", r"\bhf_[A-Za-z]{34}\b"),
    ("a SendGrid key", r"\bSG\.[\w-]{22}\.[\w-]{43}\b"),
)
_SECRET = re.compile("|".join(f"(?P<s{i}>{pattern})" for i, (_, pattern) in enumerate(_SECRETS)))

# A line of a key's body: 64 to 76 characters of Base64 (RFC 7468, OpenSSH, OpenPGP) and nothing else but what
# surrounds a string. A digest in hex is none, for it lacks one of the cases.
_KEY_LINE = re.compile(
    r"^(?P<before>[\s\"'`]*)(?=[^a-z]{0,75}[a-z])(?=[^A-Z]{0,75}[A-Z])"
    r"(?P<body>[A-Za-z0-9+/]{60,76}={0,2})(?P<after>(?:\\[nr])*[\s\"'`+,;)\\]*)$"
)

# The three markers git writes; "=======" alone is also a heading underline, so it does not count by itself.
_CONFLICT = re.compile(r"^(?:<{7}|>{7}|\|{7}) \S")

_BIDI = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u200e\u200f\u061c")
_INVISIBLE = frozenset("\ufeff\u200b\u2060\u2061\u2062\u2063\u2064\u180e\u00ad\u115f\u1160\u3164\uffa0")
# One picks a glyph; in a row they pick nothing, and have been used to carry bytes.
_SELECTORS = re.compile("[\ufe00-\ufe0f\U000e0100-\U000e01ef]{2,}")


@dataclass(frozen=True, slots=True)
class Remark:
    """What a check says about one added line (1-based new-side number)."""

    line: int
    severity: Severity
    category: Category
    title: str
    message: str
    secret: bool = False  # the line must not be shown


REDACTED = "*" * 16  # no shorter secret is known; what holds this can't be given back as a suggestion


def redact(text: str) -> str:
    """Replace each secret by as many asterisks, so that it reaches no prompt, report, log or cache.

    So is a line of Base64 alone, as private keys are made of, wherever it stands.
    """
    hidden = _SECRET.sub(lambda found: "*" * len(found[0]), text)
    return _KEY_LINE.sub(lambda found: found["before"] + "*" * len(found["body"]) + found["after"], hidden)


def plain(text: str) -> str:
    """Give a line as the model may read it: without secrets, and without what no reader sees."""
    redacted = redact(text)
    if redacted.isascii():
        return redacted
    return "".join(char for char in _SELECTORS.sub("", redacted) if not _hidden(char))


def remarks(file: FileDiff, hunk: Hunk) -> tuple[Remark, ...]:
    """Check the added lines of a hunk."""
    del file  # the checks hold in every kind of file
    return tuple(remark for line in hunk.added for remark in _line_remarks(line))


def _line_remarks(line: Line) -> Iterator[Remark]:
    assert line.new_no is not None
    if found := _SECRET.search(line.text):
        what = next(_SECRETS[int(name[1:])][0] for name, text in found.groupdict().items() if text)
        yield Remark(
            line.new_no,
            Severity.CRITICAL,
            Category.SECURITY,
            f"This line holds {what}",
            "Whoever can read the repository can use it. Revoke it, take it out of the history, and read it "
            "from the environment or a secret store instead.",
            secret=True,
        )
    if _CONFLICT.match(line.text):
        yield Remark(
            line.new_no,
            Severity.HIGH,
            Category.CORRECTNESS,
            "Merge conflict marker left in",
            "This line was written by git during a merge. Choose one side and delete the three markers.",
        )
    if hidden := _all_hidden(line):
        yield Remark(
            line.new_no,
            Severity.HIGH,
            Category.SECURITY,
            "Hidden Unicode characters",
            f"The line holds {', '.join(hidden)}: it can read differently from what the compiler sees "
            "(Trojan Source, CVE-2021-42574). Delete them or write them as escapes.",
        )


def _all_hidden(line: Line) -> list[str]:
    """Name what no reader sees on a line; a byte order mark may begin a file."""
    text = line.text[1:] if line.new_no == 1 and line.text.startswith("\ufeff") else line.text
    names = {name for char in text if (name := _hidden(char))}
    if _SELECTORS.search(text):
        names.add("variation selectors in a row")
    return sorted(names)


def _hidden(char: str) -> str:
    """Name a character that no reader sees, or return ""."""
    if char.isascii():
        return ""
    tag = "\U000e0000" <= char <= "\U000e007f"
    if char in _BIDI or char in _INVISIBLE or tag:
        return f"U+{ord(char):04X} {unicodedata.name(char, 'TAG CHARACTER')}"
    return ""
