"""Proxies, private certificates and time-outs: what lies between us and a forge."""

from __future__ import annotations

import datetime as dt
import ipaddress
import ssl
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from fakes.clients import TOKEN, patient
from fakes.github import FakeGitHub
from fakes.gitlab import FakeGitLab
from fakes.reviews import HEAD, PATCH, finding, review
from fakes.server import Answer, Request, serving

from hunkwise.reviewer.errors import ForgeError
from hunkwise.reviewer.forges.address import Address
from hunkwise.reviewer.forges.github.pull import GitHubPull
from hunkwise.reviewer.forges.gitlab.merge import GitLabMerge
from hunkwise.reviewer.publish.comment import GITHUB
from hunkwise.reviewer.publish.deliver import deliver
from hunkwise.reviewer.publish.port import Unavailable

KINDS: list[tuple[Any, Any]] = [(FakeGitHub, GitHubPull), (FakeGitLab, GitLabMerge)]
each = pytest.mark.parametrize(("fake", "adapter"), KINDS)


def certificate(folder: Path) -> Path:
    """A self-signed certificate for this machine, with its key, in one file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "A company's own authority")])
    now = dt.datetime.now(dt.UTC)
    here = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(here, critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    form = serialization.PrivateFormat.PKCS8
    secret = key.private_bytes(serialization.Encoding.PEM, form, serialization.NoEncryption())
    path = folder / "authority.pem"
    path.write_bytes(made.public_bytes(serialization.Encoding.PEM) + secret)
    return path


@each
def test_a_private_authority(
    fake: Any, adapter: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A certificate nobody knows is refused; with REQUESTS_CA_BUNDLE naming its authority it is taken."""
    path = certificate(tmp_path)
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(path)
    forge = fake(PATCH)
    with serving(forge, tls) as url:
        client = adapter(Address(url, forge.name, 7), TOKEN)
        with pytest.raises(Unavailable, match="SSLError"):
            client.fetch()
        monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(path))
        assert client.fetch().head == HEAD


@each
def test_a_proxy(fake: Any, adapter: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Requests go through the proxy that the environment names."""
    forge = fake(PATCH)
    with serving(forge) as url:
        monkeypatch.setenv("HTTP_PROXY", url)
        client = adapter(Address("http://forge.invalid", forge.name, 7), TOKEN)
        assert client.fetch().head == HEAD
    assert {request.headers["host"].partition(":")[0] for request in forge.requests} == {"forge.invalid"}


@pytest.mark.parametrize("accepted", [False, True])
def test_a_timeout_is_an_open_question(github: Callable[..., FakeGitHub], accepted: bool) -> None:
    """If the answer to a review never comes, the review is looked for, and there is one in the end."""
    forge = github(patch=PATCH)
    left = [1]

    def hang(request: Request, _: int) -> Answer | None:
        if not (left and request.path.endswith("/reviews")):
            return None
        left.pop()
        if accepted:
            forge.answer(request)
        time.sleep(3.3)
        return Answer(500, {"message": "too late"})

    forge.fault = hang
    client = GitHubPull(Address(forge.url, forge.name, 7), TOKEN, timeout=3)
    waits: list[float] = []
    assert deliver(review(finding("a.py", 2)), client, client, GITHUB, patient(waits)).inline == 1
    assert len(waits) == 1
    assert len(forge.review_comments) == len(forge.reviews) == 1


@each
def test_a_redirection_to_another_server_is_not_followed(fake: Any, adapter: Any) -> None:
    """A token is not carried elsewhere by an answer."""
    other, forge = fake(PATCH), fake(PATCH)
    with serving(other) as elsewhere, serving(forge) as url:
        target = elsewhere.replace("127.0.0.1", "localhost")
        forge.fault = lambda request, _: Answer(301, {}, {"Location": f"{target}{request.path}"})
        with pytest.raises(ForgeError):
            adapter(Address(url, forge.name, 7), TOKEN).fetch()
    assert other.requests == []
