"""Second opinions on the wire: Stoplight's prism between SDK and fake, and GitHub's own SDL for GraphQL.

Both come from npm, once, into pytest's cache; they say loudly when they can't.
"""

from __future__ import annotations

import fcntl
import json
import shutil
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryFile
from typing import Any

import pytest
import requests
from conftest import CONTRACTS
from fakes.clients import TOKEN, patient, post
from fakes.github import Account, FakeGitHub
from fakes.gitlab import FakeGitLab
from fakes.reviews import PATCH, finding, review
from fakes.server import serving

from hunkwise.reviewer.forges.address import Address
from hunkwise.reviewer.forges.github.attended import GitHubAttended
from hunkwise.reviewer.forges.github.pull import GitHubPull
from hunkwise.reviewer.forges.gitlab.merge import GitLabMerge
from hunkwise.reviewer.publish.comment import GITHUB, GITLAB
from hunkwise.reviewer.publish.deliver import deliver

PRISM = "@stoplight/prism-cli@5.14.2"  # the last that runs on Node 20
SDL = "@octokit/graphql-schema@15.26.1"
pytestmark = pytest.mark.network

Start = Callable[..., Any]


@pytest.fixture
def installed(pytestconfig: pytest.Config) -> Callable[[str, str], Path]:
    """Give a file of an npm package, which is installed first if it is not there; nothing of it runs at that."""

    def install(package: str, file: str) -> Path:
        folder = Path(pytestconfig.cache.mkdir("npm")) / package.replace("/", "-")
        wanted = folder / "node_modules" / file
        if shutil.which("npm") is None:
            pytest.skip(f"npm is ABSENT: {package} did NOT check anything")
        why: object = "npm left it out, and said nothing"
        with folder.with_name(folder.name + ".lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)  # the tests run in several processes
            if wanted.exists():
                return wanted
            for _ in range(2):  # another process may use npm's own cache at the same time
                shutil.rmtree(folder, ignore_errors=True)
                folder.mkdir(exist_ok=True)
                flags = ("--ignore-scripts", "--no-audit", "--no-fund", "--prefix", str(folder))
                command = ["npm", "install", *flags, package]
                try:
                    subprocess.run(command, capture_output=True, text=True, check=True, timeout=240)
                    if wanted.exists():
                        return wanted
                except (subprocess.CalledProcessError, subprocess.TimeoutExpired) as error:
                    why = error
            shutil.rmtree(folder, ignore_errors=True)
        pytest.skip(f"{package} can't be installed here, and did NOT check anything: {why}")

    return install


def test_graphql_is_what_github_understands(github: Start, installed: Callable[[str, str], Path]) -> None:
    """Every query and mutation that a posting and a push send is valid under GitHub's SDL, its variables too."""
    from graphql import GraphQLError, OperationDefinitionNode, build_schema, parse, validate
    from graphql.execution.values import get_variable_values

    sdl = installed(SDL, "@octokit/graphql-schema/schema.graphql").read_text("utf-8")
    # GitHub's SDL breaks some rules itself: two fields of EnterpriseOwnerInfo are defined twice
    schema = build_schema(sdl, assume_valid=True, assume_valid_sdl=True)
    forge = github(patch=PATCH)
    forge.accounts[TOKEN] = Account("github-actions[bot]", app=True, writes_code=True)
    post(review(finding("a.py", 2)), forge)
    post(review(), forge)  # the remark is outdated now
    attended = GitHubAttended(Address(forge.url, forge.name, 7), TOKEN, checks=False)
    attended.resolve(attended.existing().comments[0])
    asked = [one.body for one in forge.requests if one.path == "/graphql"]
    assert {
        part
        for body in asked
        for part in ("viewer", "reviewThreads", "minimizeComment", "resolveReviewThread")
        if part in body["query"]
    } == {
        "viewer",
        "reviewThreads",
        "minimizeComment",
        "resolveReviewThread",
    }
    for body in asked:
        document = parse(body["query"])
        assert validate(schema, document) == []
        (operation,) = document.definitions
        assert isinstance(operation, OperationDefinitionNode)
        values = get_variable_values(
            schema, operation.variable_definitions or (), body.get("variables") or {}
        )
        assert not (isinstance(values, list) and any(isinstance(one, GraphQLError) for one in values)), values


@contextmanager
def proxied(prism: Path, contract: Path, upstream: str) -> Iterator[str]:
    """Run prism between a client and a fake forge; yields the address for the client."""
    said = b""
    for _ in range(3):  # the port that was free may be another's by the time that prism takes it
        port = free_port()
        options = ("-h", "127.0.0.1", "-p", str(port), "--errors")
        command: list[str | Path] = ["node", prism, "proxy", contract, upstream, *options]
        with TemporaryFile() as output:
            process = subprocess.Popen(command, stdout=output, stderr=output)
            try:
                if listening(process, port):
                    yield f"http://127.0.0.1:{port}"
                    return
            finally:
                process.terminate()
                process.wait()
            output.seek(0)
            said = output.read()
    pytest.fail(f"prism ended with {process.returncode}: {said.decode(errors='replace')[-2000:]}")


def free_port() -> int:
    """Find a port that nobody listens on."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


def listening(process: subprocess.Popen[bytes], port: int) -> bool:
    """Wait until a process listens; False if it ended, or does not listen for minutes.

    It reads the contract first, which takes seconds of an idle core, and the machine of the tests is not idle.
    """
    for _ in range(3000):
        with socket.socket() as tried:
            if tried.connect_ex(("127.0.0.1", port)) == 0:
                return process.poll() is None
        if process.poll() is not None:
            return False
        time.sleep(0.1)
    return False


@pytest.mark.parametrize("name", ["github", "gitlab"])
def test_prism_agrees(name: str, installed: Callable[[str, str], Path]) -> None:
    """A review, and a push after it, pass prism in both directions; a request of another form does not."""
    if not CONTRACTS.is_dir():
        pytest.skip("../shared/contracts is ABSENT: prism did NOT check anything")
    prism = installed(PRISM, "@stoplight/prism-cli/dist/index.js")
    forge: FakeGitHub | FakeGitLab = FakeGitHub(patch=PATCH) if name == "github" else FakeGitLab(patch=PATCH)
    with serving(forge), proxied(prism, CONTRACTS / f"{name}.openapi.json", forge.url) as url:
        address = Address(url, forge.name, 7)
        for findings in ((finding("a.py", 2), finding("far.py", 1)), (finding("b.py", 2),)):
            made = review(*findings)
            if name == "github":
                pull = GitHubPull(address, TOKEN, timeout=120)
                counts = deliver(made, pull, pull, GITHUB, patient())
            else:
                merge = GitLabMerge(address, TOKEN, timeout=120)
                counts = deliver(made, merge, merge, GITLAB, patient())
            assert counts.failed == 0, counts
        wrong = requests.post(f"{url}/{WRONG[name]}", json={"body": 7}, headers=HEADERS[name], timeout=60)
    assert wrong.status_code in (400, 422), json.dumps(wrong.text)[:500]
    assert (
        "sl-violations" in wrong.headers or "violation" in wrong.text.lower() or "valid" in wrong.text.lower()
    )


WRONG = {
    "github": "repos/octo/repo/pulls/7/reviews",
    "gitlab": "api/v4/projects/group%2Frepo/merge_requests/7/notes",
}
HEADERS = {"github": {"Authorization": f"Bearer {TOKEN}"}, "gitlab": {"PRIVATE-TOKEN": TOKEN}}
