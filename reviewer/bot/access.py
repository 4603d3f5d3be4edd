"""What the bot holds of each forge: where it is, its webhook's secret, and the tokens to read and post with.

A GitHub App's tokens are asked for as they are needed, each for one hour and for what it is used for alone.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote, urlsplit

from hunkwise.engine import read_regular
from hunkwise.reviewer.bot.hooks.delivery import Hook
from hunkwise.reviewer.bot.port import ChangeId, ForgeName
from hunkwise.reviewer.errors import ForgeError, UsageError
from hunkwise.reviewer.forges.address import Address, https
from hunkwise.reviewer.forges.attended import Attended
from hunkwise.reviewer.forges.registry import FORGES
from hunkwise.reviewer.publish.comment import Dialect
from hunkwise.reviewer.publish.port import NotAllowed
from hunkwise.reviewer.source.clone import Login

_LARGEST_SECRET = 64 << 10  # bytes
_APP = re.compile(r"[0-9]{1,18}|Iv[0-9A-Za-z.]{1,60}")  # a number or a client id
_READ = {"contents": "read", "metadata": "read"}
_POST = {"checks": "write", "pull_requests": "write", "issues": "read", "metadata": "read"}
_RESOLVE = {**_POST, "contents": "write"}  # GitHub lets nobody else resolve a thread
Variables = Mapping[str, str]

# What comments are posted with: for the worker, and for no process that loads a model
_TOKENS = [f"HUNKWISE_{forge}_TOKEN" for forge in ("GITHUB", "GITLAB", "GITEA")] + ["HUNKWISE_GITHUB_APP_KEY"]
_SECRETS = [f"HUNKWISE_{forge}_WEBHOOK_SECRET" for forge in ("GITHUB", "GITLAB", "GITEA")] + [
    "HUNKWISE_GITLAB_SIGNING_TOKEN"
]
POSTING = ("GITHUB_TOKEN", "GITLAB_TOKEN", "GITEA_TOKEN", *_TOKENS, *(f"{name}_FILE" for name in _TOKENS))
# What deliveries are verified with: for whoever takes them in, and no worker
RECEIVING = (*_SECRETS, *(f"{name}_FILE" for name in _SECRETS))


@dataclass(frozen=True, slots=True)
class Keys:
    """The way in to one forge, for a worker: a token, or the number and key of a GitHub App.

    `api` is its API; `host` where its web pages and repositories are, and where alone a token is sent.
    """

    forge: ForgeName
    api: str
    token: str = field(default="", repr=False)
    app: str = ""
    key: str = field(default="", repr=False)
    host: str = ""  # empty: wherever a change is

    @property
    def dialect(self) -> Dialect:
        """How comments are written there."""
        return FORGES.load(self.forge).dialect

    def attend(self, change: ChangeId, *, resolving: bool = False) -> Attended:
        """Open a change for reading and writing, and for resolving threads if asked.

        Raises ForgeError, UsageError, MissingExtra.
        """
        attend = FORGES.load(self.forge).attend
        assert attend is not None
        address = Address(self.api, change.repository, change.number)
        return attend(address, self._token(change, _RESOLVE if resolving else _POST), bool(self.app))

    def login(self, change: ChangeId) -> Login:
        """Say what git fetches with; all three forges take a token as the password of any account."""
        return Login("x-access-token", self._token(change, _READ))

    def _token(self, change: ChangeId, permissions: Mapping[str, str]) -> str:
        if self.host not in ("", change.host):
            raise NotAllowed(f"{change} is at {change.host}, and the token here is for {self.host} alone")
        app_token = FORGES.load(self.forge).app_token
        if not self.app or app_token is None:
            return self.token
        if not change.installation:
            raise UsageError(
                f"{change}: its delivery names no installation of the App; use the App's own webhook"
            )
        return app_token(self.api, self.app, self.key, change.installation, permissions)


def secret(environ: Variables, name: str) -> str:
    """Read a secret from its variable, or from the file that NAME_FILE names. Raises UsageError."""
    value, file = environ.get(name, "").strip(), environ.get(f"{name}_FILE", "").strip()
    if value and file:
        raise UsageError(f"{name} and {name}_FILE are both set; take one away")
    if file:
        try:
            value = read_regular(Path(file), _LARGEST_SECRET).decode().strip()
        except (OSError, ValueError) as error:
            raise UsageError(f"{name}_FILE: {file} can't be read: {error}") from None
        if not value:
            raise UsageError(f"{name}_FILE: {file} is empty")
    return value


def _host(environ: Variables, name: str, default: str = "") -> str:
    url = environ.get(name, "").strip() or default
    return https(url, name) if url else ""


def _github_api(host: str) -> str:
    """Say where GitHub's API is; a server on loopback is taken to be nothing else."""
    parts = urlsplit(host)
    if parts.hostname == "github.com":
        return "https://api.github.com"
    return host if parts.hostname == "127.0.0.1" else f"{host}/api/v3"


def clone_url(change: ChangeId, project: str) -> str:
    """Say where a repository is fetched from: on the forge that we hold a token of, and nowhere else."""
    return f"{change.host}/{quote(project)}.git"


def hooks_of(environ: Variables) -> dict[ForgeName, Hook]:
    """Make what reads the deliveries of each forge that is set up. Raises UsageError where a secret is missing."""
    from hunkwise.reviewer.bot.hooks.gitea import GiteaHook
    from hunkwise.reviewer.bot.hooks.github import GitHubHook
    from hunkwise.reviewer.bot.hooks.gitlab import GitLabHook, signing_key

    hooks: dict[ForgeName, Hook] = {}
    github = secret(environ, "HUNKWISE_GITHUB_WEBHOOK_SECRET")
    token, signing = (
        secret(environ, f"HUNKWISE_GITLAB_{name}") for name in ("WEBHOOK_SECRET", "SIGNING_TOKEN")
    )
    gitea = secret(environ, "HUNKWISE_GITEA_WEBHOOK_SECRET")
    if _is_set_up(environ, "GITHUB", github):
        hooks["github"] = GitHubHook(github, _host(environ, "HUNKWISE_GITHUB_URL", "https://github.com"))
    if _is_set_up(environ, "GITLAB", token or signing):
        if signing:
            try:
                signing_key(signing)
            except ValueError as error:
                raise UsageError(f"HUNKWISE_GITLAB_SIGNING_TOKEN is no signing token: {error}") from None
        host = _host(environ, "HUNKWISE_GITLAB_URL", "https://gitlab.com")
        hooks["gitlab"] = GitLabHook(token, signing, host)
    if _is_set_up(environ, "GITEA", gitea):
        hooks["gitea"] = GiteaHook(gitea, _gitea_host(environ))
    if not hooks:
        raise UsageError("no forge is set up: set HUNKWISE_GITHUB_WEBHOOK_SECRET, or that of GITLAB or GITEA")
    return hooks


def keys_of(environ: Variables) -> dict[ForgeName, Keys]:
    """Make the way in to each forge that there is a token of. Raises UsageError."""
    keys: dict[ForgeName, Keys] = {}
    app = environ.get("HUNKWISE_GITHUB_APP_ID", "").strip()
    told = secret(environ, "HUNKWISE_GITHUB_APP_KEY")
    key = told.replace(r"\n", "\n").strip()  # some files have one line for it
    if bool(app) != bool(key):
        raise UsageError("HUNKWISE_GITHUB_APP_ID and HUNKWISE_GITHUB_APP_KEY belong together; set both")
    if app or (token := _token(environ, "GITHUB")):
        host = _host(environ, "HUNKWISE_GITHUB_URL", "https://github.com")
        if app:
            _check_app(app, key)
        ours = {"app": app, "key": key} if app else {"token": token}
        keys["github"] = Keys("github", _github_api(host), host=host, **ours)
    if token := _token(environ, "GITLAB"):
        host = _host(environ, "HUNKWISE_GITLAB_URL", "https://gitlab.com")
        keys["gitlab"] = Keys("gitlab", host, token, host=host)
    if token := _token(environ, "GITEA"):
        host = _gitea_host(environ)
        keys["gitea"] = Keys("gitea", f"{host}/api/v1", token, host=host)
    if not keys:
        raise UsageError(
            "no forge can be written to: set HUNKWISE_GITHUB_APP_ID and HUNKWISE_GITHUB_APP_KEY, or a token "
            "(HUNKWISE_GITHUB_TOKEN, HUNKWISE_GITLAB_TOKEN, HUNKWISE_GITEA_TOKEN); see docs/bot.md"
        )
    return keys


def _check_app(app: str, key: str) -> None:
    """Check the name and the key of a GitHub App, without asking GitHub. Raises UsageError, MissingExtra."""
    if _APP.fullmatch(app) is None:
        raise UsageError("HUNKWISE_GITHUB_APP_ID is neither the number nor the client id of a GitHub App")
    check = FORGES.load("github").check_app
    assert check is not None
    try:
        check(app, key)
    except ForgeError as error:
        raise UsageError(f"HUNKWISE_GITHUB_APP_KEY: {error}") from None


def _token(environ: Variables, forge: str) -> str:
    """Read a token. Raises UsageError for one that no header can hold: HTTP clients quote it in errors."""
    token = secret(environ, f"HUNKWISE_{forge}_TOKEN") or environ.get(f"{forge}_TOKEN", "").strip()
    if not re.fullmatch(r"[!-~]*", token):
        raise UsageError(f"the token of {forge} has a blank, a line's end or another sign that no token has")
    return token


def _gitea_host(environ: Variables) -> str:
    host = _host(environ, "HUNKWISE_GITEA_URL")
    if not host:
        raise UsageError("HUNKWISE_GITEA_URL is not set; say where the Gitea or Forgejo is")
    return host


def _is_set_up(environ: Variables, forge: str, its_secret: str) -> bool:
    """Tell whether deliveries of a forge are taken. Raises UsageError if they could come from anybody."""
    if its_secret:
        return True
    told = [name for name in environ if name.startswith(f"HUNKWISE_{forge}_") and environ[name].strip()]
    if told:
        raise UsageError(
            f"{told[0]} is set, but HUNKWISE_{forge}_WEBHOOK_SECRET is not; "
            "without a secret anybody could tell the bot what to do"
        )
    return False
