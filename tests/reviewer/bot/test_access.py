"""What the bot holds of forges, and that it holds no more than it needs."""

from __future__ import annotations

import os
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from botworld import forge
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from fakes.server import Answer, Request
from serving import listening, make_server

from hunkwise.reviewer.app.environment import Environment
from hunkwise.reviewer.app.jobs.child import for_review
from hunkwise.reviewer.bot.access import POSTING, Keys, hooks_of, keys_of, secret
from hunkwise.reviewer.bot.port import ChangeId, ForgeName
from hunkwise.reviewer.bot.receiving import together
from hunkwise.reviewer.cli import hunkwise, run
from hunkwise.reviewer.errors import ForgeError, UsageError
from hunkwise.reviewer.server.asgi import make_app

APP = {"HUNKWISE_GITHUB_APP_ID": "12", "HUNKWISE_GITHUB_APP_KEY": "k"}
HOOK = {"HUNKWISE_GITHUB_WEBHOOK_SECRET": "s"}


@pytest.mark.parametrize(
    ("environ", "why"),
    [
        ({}, "no forge is set up"),
        (APP, "HUNKWISE_GITHUB_WEBHOOK_SECRET is not"),
        ({"HUNKWISE_GITLAB_TOKEN": "t"}, "HUNKWISE_GITLAB_WEBHOOK_SECRET is not"),
        ({"HUNKWISE_GITEA_WEBHOOK_SECRET": "s"}, "HUNKWISE_GITEA_URL is not set"),
        ({**HOOK, "HUNKWISE_GITHUB_URL": "http://example.org"}, "no https address"),
        ({**HOOK, "HUNKWISE_GITHUB_URL": "https://[example"}, "no address"),
        ({**HOOK, "HUNKWISE_GITHUB_URL": "https://example.org/?a"}, "has a"),
        ({"HUNKWISE_GITLAB_SIGNING_TOKEN": "whsec_"}, "no signing token"),
        ({"HUNKWISE_GITLAB_SIGNING_TOKEN": "whsec_!!!!"}, "no signing token"),
        ({**HOOK, "HUNKWISE_GITHUB_WEBHOOK_SECRET_FILE": "/x"}, "both set"),
        ({"HUNKWISE_GITHUB_WEBHOOK_SECRET_FILE": "/nowhere"}, "can't be read"),
    ],
)
def test_without_a_secret_nothing_starts(environ: dict[str, str], why: str) -> None:
    with pytest.raises(UsageError, match=why):
        hooks_of(environ)


@pytest.mark.parametrize(
    ("environ", "why"),
    [
        ({}, "no forge can be written to"),
        ({"HUNKWISE_GITHUB_APP_ID": "12"}, "belong together"),
        ({"GITEA_TOKEN": "t"}, "HUNKWISE_GITEA_URL is not set"),
        ({"HUNKWISE_GITLAB_TOKEN": "t\nX-Other: y"}, "no token has"),
    ],
)
def test_without_a_token_nothing_works(environ: dict[str, str], why: str) -> None:
    with pytest.raises(UsageError, match=why):
        keys_of(environ)


def test_a_secret_may_stand_in_a_file(tmp_path: Path) -> None:
    (tmp_path / "s").write_text("from a file\n")

    assert secret({"HUNKWISE_GITEA_TOKEN_FILE": str(tmp_path / "s")}, "HUNKWISE_GITEA_TOKEN") == "from a file"


def test_no_secret_of_a_forge_reaches_who_reviews() -> None:
    environ = dict.fromkeys((*POSTING, *HOOK, "HUNKWISE_GITLAB_SIGNING_TOKEN", "HUNKWISE_QUEUE"), "secret")

    assert for_review(environ) == {}


def test_the_server_beside_a_worker_keeps_no_token(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    given = {"HUNKWISE_GITHUB_TOKEN": "t", **HOOK, "HUNKWISE_QUEUE": str(tmp_path / "q")}
    for name, value in given.items():
        monkeypatch.setenv(name, value)
    environment = Environment(os.environ, tmp_path, lambda sentence: None)

    with together(environment, "", 1) as beside:
        assert not set(POSTING) & set(os.environ)
        assert not set(HOOK) & set(beside.for_worker)
        assert [route.path for route in beside.receiver.routes] == ["/hooks/github"]
        assert beside.for_worker["HUNKWISE_GITHUB_TOKEN"] == "t"
    with pytest.raises(UsageError, match="no forge can be written to"), together(environment, "", 1):
        pass


def test_a_webhook_needs_no_token_of_the_server_and_opens_nothing_else(tmp_path: Path) -> None:
    from dataclasses import replace

    from hunkwise.reviewer.bot.receiving import receiver
    from hunkwise.reviewer.server.guard.tokens import new_token, write_tokens

    write_tokens(tmp_path / "tokens.json", (new_token("ci", ("review",))[1],))
    server = make_server()
    server.settings = replace(server.settings, tokens=tmp_path / "tokens.json", host="0.0.0.0")
    server.mounted = receiver({**HOOK, "HUNKWISE_QUEUE": str(tmp_path / "q")}).routes
    with ExitStack() as stack:
        client = stack.enter_context(listening(make_app(server)))
        answer = client.post("/hooks/github", content=b"{}", headers={"host": "bot.example.org"})

        assert (answer.status_code, "not signed" in answer.text) == (401, True)
        assert client.get("/api/tags").status_code == 401


def key() -> str:
    made = rsa.generate_private_key(65537, 2048)
    form = serialization.PrivateFormat.PKCS8
    return made.private_bytes(serialization.Encoding.PEM, form, serialization.NoEncryption()).decode()


def test_an_apps_tokens_are_for_one_use_each() -> None:
    """One that reads for git, another one that posts: neither may do what the other does."""
    asked: list[Any] = []
    with forge("github") as world:
        world.add("octo/repo")

        def app(request: Request) -> Answer | None:
            if request.path != "/app/installations/99/access_tokens":
                return None
            assert request.headers["authorization"].startswith("Bearer ey")
            asked.append(request.body["permissions"])
            body = {"token": "secret-token", "expires_at": "2099-01-01T00:00:00Z", "permissions": asked[-1]}
            return Answer(201, body)

        world.fault = app
        keys = Keys("github", world.url, app="12", key=key())
        change = ChangeId("github", world.url, "octo/repo", 7, 99)

        login, desk = keys.login(change), keys.attend(change)
        keys.attend(change, resolving=True)

        assert login.password == "secret-token"
        assert desk.standing().project == "octo/repo"
        posting = {"checks": "write", "pull_requests": "write", "issues": "read", "metadata": "read"}
        assert asked == [
            {"contents": "read", "metadata": "read"},
            posting,
            {**posting, "contents": "write"},
        ]
        with pytest.raises(UsageError, match="no installation"):
            keys.attend(ChangeId("github", world.url, "octo/repo", 7))
        with pytest.raises(ForgeError, match="no private key"):
            Keys("github", world.url, app="12", key="k").attend(change)


def test_a_token_goes_to_its_own_forge_alone() -> None:
    """Whatever stands in the queue, which a receiver of another forge may have filled."""
    environ = {
        "HUNKWISE_GITLAB_TOKEN": "t",
        "HUNKWISE_GITEA_TOKEN": "t",
        "HUNKWISE_GITEA_URL": "https://git.example",
    }
    keys = keys_of(environ | {"GITHUB_TOKEN": "t"})
    hosts: dict[ForgeName, str] = {
        "github": "https://github.com",
        "gitlab": "https://gitlab.com",
        "gitea": "https://git.example",
    }
    for forge_name, host in hosts.items():
        assert keys[forge_name].login(ChangeId(forge_name, host, "o/r", 7)).password == "t"
        elsewhere = ChangeId(forge_name, "https://evil.example", "o/r", 7)
        for use in (keys[forge_name].login, keys[forge_name].attend):
            with pytest.raises(ForgeError, match=r"for .* alone"):
                use(elsewhere)


@pytest.mark.parametrize("app", ["my-app", "12a", "-1", "1" * 30, "Ann"])
def test_an_app_that_is_none_is_told_of_at_the_start(app: str) -> None:
    with pytest.raises(UsageError, match="APP_ID is neither"):
        keys_of({"HUNKWISE_GITHUB_APP_ID": app, "HUNKWISE_GITHUB_APP_KEY": key()})


def test_a_key_that_can_not_sign_is_told_of_at_the_start() -> None:
    """No PEM, half of one, lines run together, a public key, one behind a password, one of another kind."""
    form = (serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8)
    made = rsa.generate_private_key(65537, 2048)
    public = serialization.PublicFormat.SubjectPublicKeyInfo
    locked = made.private_bytes(*form, serialization.BestAvailableEncryption(b"x")).decode()
    other = (
        ec.generate_private_key(ec.SECP256R1()).private_bytes(*form, serialization.NoEncryption()).decode()
    )
    good = key()
    environ = {"HUNKWISE_GITHUB_APP_ID": "Iv23liAbCdEf", "HUNKWISE_GITHUB_APP_KEY": good}
    assert keys_of(environ)["github"].key == good.strip()
    assert keys_of({**environ, "HUNKWISE_GITHUB_APP_KEY": good.replace("\n", r"\n")}) == keys_of(environ)

    shown = made.public_key().public_bytes(serialization.Encoding.PEM, public).decode()
    for bad in ("k", good[:300], good.replace("\n", "|"), shown, locked, other):
        with pytest.raises(UsageError, match=r"APP_KEY: .* no private key") as raised:
            keys_of({**environ, "HUNKWISE_GITHUB_APP_KEY": bad})
        assert bad[30:60] not in str(raised.value) or bad == "k"


@pytest.mark.parametrize("address", ["notaurl", "foo+http://127.0.0.1:1", "http://ann:secret@127.0.0.1:1"])
@pytest.mark.parametrize("verb", [["bot", "work"], ["serve", "--port=0"]])
def test_an_engine_that_has_no_address_is_told_of_at_the_start(
    verb: list[str], address: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("hunkwise.reviewer.bot.worker.Worker.run", lambda *_: pytest.fail("it began"))
    monkeypatch.setattr("hunkwise.reviewer.server.run.run", lambda *_: pytest.fail("it began"))
    monkeypatch.setenv("HUNKWISE_GITLAB_TOKEN", "t")

    assert run(hunkwise, [*verb, f"--engine={address}"]) == 2
    told = capsys.readouterr().err
    assert "address" in told
    assert "secret" not in told
