"""Secrets: finding them, also behind characters that nobody sees, and hiding them.

The token formats are those their issuers publish, as collected by gitleaks (MIT,
https://github.com/gitleaks/gitleaks/blob/master/config/gitleaks.toml); only formats with a fixed, telling
prefix are taken, so that a match is no guess. A secret is never quoted back.
"""

from __future__ import annotations

import hmac
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

from hunkwise.reviewer.text.unseen import LINE_ENDS, UNSEEN, hidden

PRIVATE_KEY = "a private key"
# What it is, how it begins, and how it goes on
_FORMATS: tuple[tuple[str, str, str], ...] = (
    (
        PRIVATE_KEY,  # with what follows on the line: in a string the whole key is one line
        "-----BEGIN ",
        r"(?:[A-Z]+ )*PRIVATE KEY(?: BLOCK)?-----(?:\\[nr]|[A-Za-z0-9+/=\s])*",
    ),
    ("an AWS access key id", "A(?:KI|SI|BI|CC)A", r"[A-Z2-7]{16}\b"),
    ("a GitHub token", "gh[pousr]_", r"[0-9A-Za-z]{36}\b"),
    ("a GitHub token", "github_pat_", r"\w{82}\b"),
    ("a GitLab token", "gl(?:pat|ptt|dt|rt|cbt|ft|soat)-", r"[\w-]{20,}"),
    ("a Slack token", "xox[abeoprs]-", r"(?:\d+-)?[0-9A-Za-z-]{10,}"),
    (
        "a Slack webhook",
        r"https://hooks\.slack\.com/",
        "(?:services|workflows|triggers)/[A-Za-z0-9+/]{40,}",
    ),
    ("a Google API key", "AIza", r"[\w-]{35}\b"),
    ("a Stripe key", "[sr]k_(?:live|prod)_", r"[0-9A-Za-z]{10,99}\b"),
    ("an npm token", "npm_", r"[0-9A-Za-z]{36}\b"),
    ("a PyPI token", "pypi-AgEIcHlwaS5vcmc", r"[\w-]{50,}"),
    ("an Anthropic key", "sk-ant-(?:api|admin)", r"\d\d-[\w-]{80,}"),
    ("an OpenAI key", "sk-", r"(?:proj-|svcacct-|admin-)?[\w-]{20,74}T3BlbkFJ[\w-]{20,74}"),
    ("a Hugging Face token", "hf_", r"[A-Za-z]{34}\b"),
    ("a SendGrid key", r"SG\.", r"[\w-]{22}\.[\w-]{43}\b"),
)
_BEGINNING = re.compile("|".join(begins for _, begins, _ in _FORMATS))  # many times as fast as the whole
# Where a word begins, also after the letter of an escape (\nAKIA…) or of a percent sign's code (%3DAKIA…)
_STARTS = r"(?:\b|(?<=\\[abfnrtv0])|(?<=[%=][0-9A-F]{2})|(?<=%[0-9a-f]{2}))"
_ALL = "|".join(
    f"(?P<s{i}>{'' if what == PRIVATE_KEY else _STARTS}{begins}{rest})"
    for i, (what, begins, rest) in enumerate(_FORMATS)
)
_SECRET = re.compile(_ALL)
_LOOSE = re.compile(
    _ALL.replace(_STARTS, "").replace(r"\b", "")
)  # where what nobody sees was taken out, a word may begin anywhere

# A line of a key's body: 64 to 76 characters of Base64 (RFC 7468, OpenSSH, OpenPGP) and nothing else but what
# surrounds a string. A digest in hex is none, for it lacks one of the cases.
_KEY_LINE = re.compile(
    r"^(?P<before>[\s\"'`]*)(?=[^a-z]{0,75}[a-z])(?=[^A-Z]{0,75}[A-Z])"
    r"(?P<body>[A-Za-z0-9+/]{60,76}={0,2})(?P<after>(?:\\[nr])*[\s\"'`+,;)\\]*)$"
)

_KEY_LINE_LENGTH = 60

REDACTED = "*" * 16  # no shorter secret is known; what holds this can't be given back as a suggestion
_DOMAIN = b"hunkwise: the fingerprint of a secret, version 1"


@dataclass(frozen=True, slots=True)
class Secret:
    """A secret in a text, from `start` to before `end`: what it is, and what it reads as to who sees it."""

    start: int
    end: int
    what: str
    value: str


def keyed_hash(value: str) -> str:
    """Name a secret without telling it: HMAC-SHA256, in hex, with a fixed key that belongs to this use alone.

    The same on every machine, so that a baseline holds everywhere. The formats above have 80 random bits and
    more, so nobody finds a secret by trying; who has one already can tell that it is this one.
    """
    return hmac.digest(_DOMAIN, value.encode("utf-8", "surrogatepass"), "sha256").hex()


def secrets(text: str) -> tuple[Secret, ...]:
    """Find the secrets of a text, from left to right, also where unseen characters stand between their letters."""
    found = [_secret(match, range(len(text))) for match in _matches(_SECRET, text)]
    if _veiled(text):
        shown, places = _shown(text)
        found += [_secret(match, places) for match in _matches(_LOOSE, shown)]
    return tuple(_apart(sorted(found, key=lambda secret: (secret.start, -secret.end))))


@lru_cache(maxsize=512)  # titles, messages and paths come again and again
def redact(text: str) -> str:
    """Replace each secret by as many asterisks, so that it reaches no prompt, report, log or cache.

    So is a line of Base64 alone, as private keys are made of, wherever it stands.
    """
    hits = [range(secret.start, secret.end) for secret in secrets(text)]
    if len(text) >= _KEY_LINE_LENGTH:
        shown, places = _shown(text) if _veiled(text) else (text, range(len(text)))
        if line := _KEY_LINE.match(shown):
            hits.append(range(places[line.start("body")], places[line.end("body") - 1] + 1))
    parts, done = [], 0
    for hit in sorted(hits, key=lambda hit: hit.start):
        parts += [text[done : hit.start], "*" * (hit.stop - max(done, hit.start))]
        done = max(done, hit.stop)
    return "".join((*parts, text[done:])) if hits else text


def plain(text: str) -> str:
    """Give a line as the model may read it: without secrets, and without what no reader sees.

    What a language may take for the end of a line stays, for what stands behind it is code.
    """
    redacted = redact(text)
    gone = {at for at in hidden(redacted) if redacted[at] not in LINE_ENDS}
    return "".join(char for at, char in enumerate(redacted) if at not in gone) if gone else redacted


def _matches(pattern: re.Pattern[str], text: str) -> Iterator[re.Match[str]]:
    """Find what `pattern.finditer` finds, trying it only where a secret may begin."""
    at = 0
    while begins := _BEGINNING.search(text, at):
        match = pattern.match(text, begins.start())
        if match:
            yield match
        at = match.end() if match else begins.start() + 1


def _secret(match: re.Match[str], places: Sequence[int]) -> Secret:
    what = next(_FORMATS[int(name[1:])][0] for name, text in match.groupdict().items() if text)
    return Secret(places[match.start()], places[match.end() - 1] + 1, what, match[0])


def _apart(found: list[Secret]) -> Iterator[Secret]:
    """Leave out what lies within or overlaps the one before."""
    end = 0
    for secret in found:
        if secret.start >= end:
            yield secret
            end = secret.end


def _veiled(text: str) -> bool:
    """Whether something unseen stands in a text, but for the carriage return that ends a line."""
    return bool(UNSEEN.search(text, 0, len(text) - text.endswith("\r")))


def _shown(text: str) -> tuple[str, Sequence[int]]:
    """Give a text as it is seen, and the place of each of its characters in the whole."""
    places: list[int] = []
    start = 0
    for gone in UNSEEN.finditer(text):
        places += range(start, gone.start())
        start = gone.end()
    places += range(start, len(text))
    return UNSEEN.sub("", text), places
