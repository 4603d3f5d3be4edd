"""Mails are read as their writers typed them, however they were sent; what can't be decoded is said."""

from __future__ import annotations

import base64
import quopri
from email.message import EmailMessage

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hunkwise.reviewer.diff.parse import parse_diff
from hunkwise.reviewer.errors import DiffError
from hunkwise.reviewer.types import Change


def patch(name: str) -> str:
    """A patch with a blank line, a trailing blank, an equals sign and a long line."""
    return (
        f"Down (café).\n---\n {name} | 4 ++--\n\ndiff --git a/{name} b/{name}\nindex 1111111..2222222 100644\n"
        f"--- a/{name}\n+++ b/{name}\n@@ -1,3 +1,3 @@\n x = 1 \n \n-y = 2\n+y = 3  # {'long ' * 40}\n-- \n2.39.5\n"
    )


def mail(name: str, encoding: str, line_end: str = "\n") -> bytes:
    """A mail of one patch in a mailbox."""
    body = patch(name).encode()
    if encoding == "quoted-printable":
        body = quopri.encodestring(body)
    elif encoding == "base64":
        body = base64.encodebytes(body)
    text = (
        f"From {'1' * 40} Mon Sep 17 00:00:00 2001\nFrom: A <a@b>\nSubject: [PATCH] x\n"
        f"MIME-Version: 1.0\nContent-Type: text/plain;\n charset=UTF-8\n"
        f"Content-Transfer-Encoding:\n {encoding}\n\n"
    )
    return (text.encode() + body).replace(b"\n", line_end.encode())


def attached(name: str, *, signed: bool = False) -> bytes:
    """A mail with a patch as an attachment, beside a text of its own, perhaps signed."""
    message = EmailMessage()
    message["From"], message["Subject"] = "a@example.com", "x"
    message.set_content("Here is diff --cc in\nOnly in a: b\n")
    message.add_alternative(f"<pre>\n{patch(name)}</pre>", subtype="html")
    message.add_attachment(patch(name).encode(), "text", "x-patch", filename="x.patch")
    if signed:
        message.add_attachment(b"-----BEGIN PGP SIGNATURE-----\n", "application", "pgp-signature")
    return message.as_bytes().replace(
        b"multipart/mixed", b"multipart/signed" if signed else b"multipart/mixed"
    )


def paths(change: Change) -> list[str]:
    """The paths read whole, each with one line more and one less."""
    for file in change.files:
        assert [line.text for line in file.hunks[0].lines] == [
            "x = 1 ",
            "",
            "y = 2",
            f"y = 3  # {'long ' * 40}",
        ]
    return [file.path for file in change.files]


@pytest.mark.parametrize("line_end", ["\n", "\r\n"])
@pytest.mark.parametrize("encoding", ["8bit", "quoted-printable", "base64", "Quoted-Printable", "BASE64"])
def test_a_mail_is_read_however_it_was_sent(encoding: str, line_end: str) -> None:
    """Encodings, folded headers and the line ends of the network."""
    sent = mail("a.py", encoding.lower(), line_end).replace(encoding.lower().encode(), encoding.encode())

    change = parse_diff(sent)

    assert paths(change) == ["a.py"]
    assert not change.skipped
    assert not change.notes


def test_a_mailbox_of_all_sorts() -> None:
    """Each mail of a mailbox by its own header."""
    mails = [mail("a.py", "base64"), mail("b.py", "8bit"), mail("c.py", "quoted-printable")]
    mails += [b"From x Mon Sep 17 00:00:00 2001\n" + attached("d.py", signed=True), mail("e.py", "7bit")]

    change = parse_diff(b"\n".join(mails))

    assert paths(change) == ["a.py", "b.py", "c.py", "d.py", "e.py"]
    assert not change.skipped


def test_a_forwarded_mail() -> None:
    """A mail within a mail."""
    message = EmailMessage()
    message["From"], message["Subject"] = "a@example.com", "Fwd: x"
    message.set_content("See below.\n")
    inner = EmailMessage()
    inner["Subject"] = "x"
    inner.set_content(patch("a.py"), cte="quoted-printable")
    message.add_attachment(inner)

    assert paths(parse_diff(message.as_bytes())) == ["a.py"]


def test_a_format_that_breaks_lines_is_said() -> None:
    """The patch is read as it came, with a note."""
    flowed = mail("a.py", "8bit").replace(b"charset=UTF-8", b"charset=UTF-8; format=flowed")

    assert "format=flowed" in parse_diff(flowed).notes[0]


@pytest.mark.parametrize(
    "broken",
    [
        mail("a.py", "base64").replace(b"\n\n", b"\n\n!!!! not base64 !!!!\n"),
        mail("a.py", "x-uuencode"),
        mail("a.py", "8bit") + b"\nSubject: two\nContent-Transfer-Encoding: base64\n\nAAAA\n",
        b"From x\nSubject: x\nContent-Type: multipart/mixed\n\n" + patch("a.py").encode(),
        b"\nFrom: a\nX: y\n z\nSubject: x\n\n" + patch("a.py").encode(),
    ],
)
def test_what_cannot_be_decoded_is_said(broken: bytes) -> None:
    """Nothing of a mailbox is passed over in silence; the mails beside it are read."""
    change = parse_diff(mail("ok.py", "quoted-printable") + broken)

    assert change.files[0].path == "ok.py"
    assert any(skip.fault for skip in change.skipped)
    with pytest.raises(DiffError, match="mail"):
        parse_diff(b"Subject: x\nContent-Transfer-Encoding: base64\n\n!!!!\n")


PIECES = st.sampled_from(
    [
        b"From a Mon 00:00:00 2001\n", b"Subject: x\n", b"\n", b"Content-Type: multipart/mixed; boundary=x\n",
        b"Content-Type: text/plain; format=flowed\n", b"Content-Type: message/rfc822\n", b"--x\n", b"--x--\n",
        b"Content-Transfer-Encoding: base64\n", b"Content-Transfer-Encoding: quoted-printable\n", b"=\n", b"=3D",
        b"QUJD\n", b"\xff", b"Content-Type: ; boundary*0*=\xff''%\n", b"\r\n", b" folded\n",
        b"diff --git a/x b/x\n",
    ]
)  # fmt: skip


@given(st.lists(PIECES, max_size=20).map(b"".join))
def test_any_mail_is_read_or_refused(data: bytes) -> None:
    """No header makes the reader fall over."""
    try:
        parse_diff(data)
    except DiffError:
        return
