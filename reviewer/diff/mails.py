"""Mails of a mailbox as the text that their writers typed, where they went encoded or in parts.

Only what a mail's header says is undone: quoted-printable, base64, MIME's parts. Other text stays byte for byte.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from email.message import Message
from email.parser import BytesHeaderParser

_FIELD = rb"^content-transfer-encoding:"
_ANY = re.compile(rb"^content-t(?:ransfer-encoding|ype):", re.MULTILINE | re.IGNORECASE)
_FIELDS = re.compile(_ANY.pattern + rb"[^\n]*\n(?:[ \t][^\n]*\n)*", re.MULTILINE | re.IGNORECASE)
_ENCODING = re.compile(_FIELD + rb"[^\n]*\n(?:[ \t][^\n]*\n)*", re.MULTILINE | re.IGNORECASE)
_ENCODED = re.compile(_FIELD + rb"\s{0,9}(?:quoted-printable|base64)", re.MULTILINE | re.IGNORECASE)
_FROM = re.compile(rb"^From [^\n]{1,300}\n[A-Za-z][A-Za-z-]{1,70}:", re.MULTILINE)  # parts a mailbox's mails
_ANOTHER = re.compile(rb"\n\r?\n(?:[A-Z][A-Za-z-]{0,70}: [^\n]*\n(?:[ \t][^\n]*\n)*)*Subject: ")
_HEADER = re.compile(rb"\s*(?:From [^\n]{1,300}\n)?[A-Za-z][A-Za-z0-9-]*:")
_BLANK = re.compile(rb"^\r?\n", re.MULTILINE)
_LONGEST_HEADER = 64 * 1024
_LONGEST_FIELD = 1000
_MOST_PARTS = 10_000  # of all mails together
_DEEPEST = 8  # parts within parts
_AS_TYPED = ("", "7bit", "8bit", "binary")


@dataclass(slots=True)
class Mails:
    """What stands in mails; `faults` say what could not be decoded."""

    text: bytes
    faults: list[str] = field(default_factory=list)
    flowed: bool = False  # a mail says that its lines may have been broken on the way
    parts: int = 0


def decoded(data: bytes) -> Mails:
    """The text with every encoded mail decoded; a text that is no mail is returned as it stands."""
    mails = Mails(data)
    if not _ANY.search(data):
        return mails
    begins = [found.start() for found in _FROM.finditer(data) if found.start()]
    pieces = zip([0, *begins], [*begins, len(data)], strict=True)
    mails.text = b"".join(_mail(data[start:end], mails) for start, end in pieces)
    if not mails.faults and _ENCODED.search(mails.text):
        mails.faults.append(
            "a mail in it is encoded and does not begin like one; save it as it came, or use `git am`"
        )
    return mails


def _mail(data: bytes, mails: Mails) -> bytes:
    header, body = _parted(data.lstrip(b"\r\n"))
    if not _HEADER.match(header) or _are_too_many(mails):
        return data
    message = _message(header)
    if message.get_content_maintype() not in ("multipart", "message") and _encoding(message) in _AS_TYPED:
        mails.flowed |= _is_flowed(message)
        return data
    if _ANOTHER.search(body):
        mails.faults.append(
            "two mails in it follow each other without the `From ` line of a mailbox between them"
        )
    return _ENCODING.sub(b"", header) + b"\n" + b"\n".join([*_texts(message, body, mails, 0), b""])


def _texts(message: Message, body: bytes, mails: Mails, depth: int) -> Iterator[bytes]:
    """The texts of a mail's parts, but not the HTML that says the same once more."""
    if _are_too_many(mails):
        return
    boundary = message.get_boundary()
    if message.get_content_type() == "message/rfc822" and depth < _DEEPEST:
        header, inner = _parted(body)
        yield from _texts(_message(header), inner, mails, depth + 1)
    elif message.get_content_maintype() == "multipart" and boundary and depth < _DEEPEST:
        for part in _between(body, b"--" + boundary.encode("utf-8", "surrogateescape")):
            header, inner = _parted(part)
            yield from _texts(_message(header), inner, mails, depth + 1)
    elif message.get_content_maintype() in ("multipart", "message"):
        mails.faults.append("a mail in it has parts that can't be told apart; save the patch itself")
    elif message.get_content_type() != "text/html":
        mails.flowed |= _is_flowed(message)
        yield _plain(message, body, mails)


def _are_too_many(mails: Mails) -> bool:
    mails.parts += 1
    if mails.parts == _MOST_PARTS:
        mails.faults.append(f"more than {_MOST_PARTS:,} mails or parts of mails")
    return mails.parts >= _MOST_PARTS


def _plain(message: Message, body: bytes, mails: Mails) -> bytes:
    """A part's text, as far as it can be decoded."""
    encoding = _encoding(message)
    if encoding in _AS_TYPED:
        return body
    part = Message()
    part["Content-Transfer-Encoding"] = encoding
    part.set_payload(body.decode("ascii", "surrogateescape"))
    text = part.get_payload(decode=True)
    if encoding not in ("quoted-printable", "base64") or part.defects or not isinstance(text, bytes):
        mails.faults.append(f"a mail in it can't be decoded from {encoding[:40]!a}; save the patch itself")
    return text if isinstance(text, bytes) else body


def _message(header: bytes) -> Message:
    """What a header says of the text; each field cut where a real one ended long ago."""
    fields = (found[:_LONGEST_FIELD].rstrip() for found in _FIELDS.findall(header + b"\n"))
    return BytesHeaderParser().parsebytes(b"\n".join(fields))


def _encoding(message: Message) -> str:
    return str(message.get("Content-Transfer-Encoding", "")).strip().lower()


def _is_flowed(message: Message) -> bool:
    return str(message.get_param("format", "")).lower() == "flowed"


def _parted(data: bytes) -> tuple[bytes, bytes]:
    """Header and body, which a blank line parts; no header if none ends in time."""
    blank = _BLANK.search(data, 0, _LONGEST_HEADER)
    return (data[: blank.start()], data[blank.end() :]) if blank else (b"", data)


def _between(body: bytes, delimiter: bytes) -> Iterator[bytes]:
    """The parts of a body; what stands before the first and after the last is for old programs."""
    part: list[bytes] | None = None
    for line in body.split(b"\n"):
        bare = line.rstrip() if line.startswith(delimiter) else b""
        if bare not in (delimiter, delimiter + b"--"):
            if part is not None:
                part.append(line)
            continue
        if part is not None:
            yield b"\n".join(part)
        if bare != delimiter:
            return
        part = []
    if part is not None:
        yield b"\n".join(part)
