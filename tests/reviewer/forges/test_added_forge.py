"""A forge that another package adds: nothing of this repository is touched for it."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from fakes.reviews import finding, review
from strangers import install

from hunkwise.reviewer.cli import hunkwise, run
from hunkwise.reviewer.errors import UsageError
from hunkwise.reviewer.forges.port import Forge
from hunkwise.reviewer.forges.registry import FORGES, chosen_forge, requested_change
from hunkwise.reviewer.report import View, renderer

TOY = '''
"""A forge whose requests are files: https://toy.example/OWNER/NAME/changes/NUMBER."""
import re
from dataclasses import replace
from urllib.parse import urlsplit

from hunkwise.reviewer.diff.parse import parse_diff
from hunkwise.reviewer.errors import UsageError
from hunkwise.reviewer.forges.address import Address, https
from hunkwise.reviewer.forges.port import Forge
from hunkwise.reviewer.publish.comment import Dialect
from hunkwise.reviewer.publish.port import Call, ChangeRequest, Existing, PostSummary

HEAD = "b" * 40
PATCH = b"--- a/a.py\\n+++ b/a.py\\n@@ -1 +1 @@\\n-a = 1\\n+a = 2\\n"


class ToyRequest:
    def fetch(self):
        return ChangeRequest("Title", "a" * 40, HEAD, replace(parse_diff(PATCH), head=HEAD))

    def existing(self):
        return Existing()

    def calls(self, action, request):
        return (Call("POST", f"/{type(action).__name__}"),)

    def send(self, call):
        raise AssertionError("a dry run sends nothing")


def address(url, environment):
    found = re.fullmatch(r"/([^/]+/[^/]+)/changes/([0-9]+)", urlsplit(https(url, "the address")).path)
    if found is None:
        raise UsageError(f"{url!r} is no change; give https://HOST/OWNER/NAME/changes/NUMBER")
    return Address("https://toy.example/api", found[1], int(found[2]))


def job(environment):
    return Address("https://toy.example/api", environment["TOY_PROJECT"], 1)


FORGE = Forge(
    title="Toy",
    flag="pr",
    tokens=("TOY_TOKEN",),
    dialect=Dialect(10_000, "suggestion"),
    job_variable="TOY_CI",
    address=address,
    job=job,
    open=lambda address, token, environment: ToyRequest(),
)
'''
URL = "https://toy.example/a/b/changes/3"


@pytest.fixture
def toy(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    install(monkeypatch, tmp_path, "acme-toy", {"hunkwise.forges:toy": "acme_forge:FORGE"}, acme_forge=TOY)
    for name in ("GITHUB_ACTIONS", "GITLAB_CI"):
        monkeypatch.delenv(name, raising=False)


@pytest.mark.usefixtures("toy")
@pytest.mark.parametrize(
    "named", [["--pr", URL], ["--to", "toy", "--pr", URL], ["--to", "toy"], []], ids=" ".join
)
def test_it_is_posted_to_like_ours(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str], named: list[str]
) -> None:
    """It is known by its address, by --to, and by its own jobs."""
    for name, value in {"TOY_TOKEN": "secret", "TOY_CI": "true", "TOY_PROJECT": "a/b"}.items():
        monkeypatch.setenv(name, value)
    made = review(finding("a.py", 1), head="b" * 40)
    (tmp_path / "findings.json").write_text(renderer("json")(made, View()))

    assert run(hunkwise, ["post", str(tmp_path / "findings.json"), *named, "--dry-run"]) == 0
    shown = json.loads(capsys.readouterr().out)
    assert shown["api"] == "https://toy.example/api"
    assert {call["path"] for call in shown["requests"]} == {"/PostReview", "/PostSummary"}


@pytest.mark.usefixtures("toy")
def test_its_change_can_be_read() -> None:
    """`review --pr URL` reads from it."""
    assert chosen_forge(None, URL, None, {}) == "toy"
    assert requested_change("toy", URL, {"TOY_TOKEN": "secret"}).head == "b" * 40


@pytest.mark.usefixtures("toy")
def test_what_it_has_not_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A check run is optional, and its token is asked for by name."""
    (tmp_path / "findings.json").write_text(renderer("json")(review(head="b" * 40), View()))
    asked = ["post", str(tmp_path / "findings.json"), "--pr", URL, "--check-run"]

    assert run(hunkwise, asked) == 2
    assert "set TOY_TOKEN in the environment" in capsys.readouterr().err
    monkeypatch.setenv("TOY_TOKEN", "secret")
    assert run(hunkwise, asked) == 2
    assert "Toy has no check runs" in capsys.readouterr().err


@pytest.mark.usefixtures("toy")
def test_ours_come_first() -> None:
    """An address of ours is not shown to another package, and an unreadable one is explained as GitHub's."""
    assert chosen_forge(None, "https://github.com/octo/repo/pull/7", None, {}) == "github"
    assert chosen_forge(None, "https://github.com/octo/repo/issues/7", None, {}) == "github"
    with pytest.raises(UsageError, match="forges are github, gitlab, gitea, toy"):
        chosen_forge("tou", None, None, {})


@pytest.mark.parametrize("name", FORGES.rows)
def test_a_forge_of_ours_is_one_folder_and_one_row(name: str) -> None:
    """No other file of the reviewer names it, but for the words of its comments and its token's variables."""
    forge = FORGES.load(name)
    reviewer = Path(__file__).resolve().parents[3] / "reviewer"
    importing = re.compile(rf"hunkwise\.reviewer\.forges\.{name}\b")
    touched = {
        path.relative_to(reviewer).as_posix()
        for path in reviewer.rglob("*.py")
        if path.parent.name != name and importing.search(path.read_text("utf-8"))
    }

    assert isinstance(forge, Forge)
    assert touched == {"forges/registry.py"}
