"""Runs git so that nothing of the repository's own runs: no hooks, filters, textconv, diff drivers, fetches.

Objects and the index are read without a work tree, so that attributes of the work tree can't ask for
filters. What compares contents of the work tree (worktree.py) runs in a repository whose configuration is ours.
"""

from __future__ import annotations

import os
import subprocess
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from hunkwise.reviewer.errors import GitError

# Each of these could start a program, or write into the repository
_SAFE = (
    "core.fsmonitor=false", "core.untrackedCache=false", "core.hooksPath=/dev/null", "core.splitIndex=false",
    "core.sshCommand=false", "credential.helper=", "diff.external=", "core.pager=cat", "core.askPass=",
    "core.attributesFile=/dev/null", "core.quotePath=true", "protocol.allow=never",
    "advice.graftFileDeprecated=false",
)  # fmt: skip
PATHS_AT_ONCE = 200  # on one command line
PLAIN_DIFF = (
    "--full-index", "--no-ext-diff", "--no-textconv", "--no-color", "--submodule=short",
    "--src-prefix=a/", "--dst-prefix=b/",
)  # fmt: skip
_SAFE_ENVIRONMENT = {
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_ATTR_NOSYSTEM": "1",
    "GIT_OPTIONAL_LOCKS": "0",
    "GIT_TERMINAL_PROMPT": "0",
    "GIT_NO_LAZY_FETCH": "1",
    "GIT_ALLOW_PROTOCOL": "none",  # the same for versions that don't know the line above
    "GIT_LITERAL_PATHSPECS": "1",
    "GIT_NO_REPLACE_OBJECTS": "1",  # what is reviewed is what is there, not what stands in for it here
    "GIT_GRAFT_FILE": os.devnull,
    "LC_ALL": "C",
}
# Hooks hand these on (`git commit FILE` has an index of its own); GIT_DIR and GIT_WORK_TREE find the repository
_KEPT = (
    "PATH", "HOME", "USER", "XDG_CONFIG_HOME", "TMPDIR", "GIT_CONFIG_GLOBAL", "GIT_INDEX_FILE",
    "GIT_OBJECT_DIRECTORY", "GIT_ALTERNATE_OBJECT_DIRECTORIES", "GIT_QUARANTINE_PATH",
    "GIT_CEILING_DIRECTORIES", "GIT_DISCOVERY_ACROSS_FILESYSTEM", "SUDO_UID",
)  # fmt: skip
_DISTRUST = (b"dubious ownership", b"unsafe repository")
# What git says of an object that a partial clone lacks, by version
_LACKING = (b"lazy fetch", b"promisor", b"could not fetch", b"unable to read", b"bad object", b"not fetch")


class NotFetched(GitError):
    """An object is missing in a partial clone, and nothing is fetched here."""


@dataclass(frozen=True, slots=True)
class Repository:
    """A repository on this machine. `top` is its work tree's root, None if it is bare."""

    git_dir: Path
    top: Path | None
    variables: Mapping[str, str] = field(repr=False)  # of the process, of which git gets what it needs
    environment: Mapping[str, str] = field(default_factory=dict)  # of every git run in it, beside those
    settings: tuple[str, ...] = ()  # name=value, of every git run in it
    configuration: Path | None = None  # the git folder whose settings are asked for, if not `git_dir`


def repository(folder: Path, environ: Mapping[str, str]) -> Repository:
    """The repository that `folder` lies in, as `environ` has git find it.

    Raises GitError if there is none, or git distrusts its owner.
    """
    places = {name: environ[name] for name in ("GIT_DIR", "GIT_WORK_TREE") if name in environ}
    question = ("rev-parse", "--is-inside-work-tree", "--absolute-git-dir")
    trusted: tuple[str, ...] = ()
    asked = _run(question, folder, places, environ)
    if asked.returncode and any(word in asked.stderr for word in _DISTRUST):
        trusted = _safe_directories(environ)
        asked = _run(question, folder, places, environ, settings=trusted)
    if asked.returncode:
        raise GitError(_no_repository(folder, _message(asked.stderr)))
    inside, git_dir = asked.stdout.split(b"\n", 1)
    top = None
    if inside == b"true":
        shown = _run(("rev-parse", "--show-toplevel"), folder, places, environ, settings=trusted)
        top = Path(os.fsdecode(shown.stdout.removesuffix(b"\n")))
    index = environ.get("GIT_INDEX_FILE")  # relative to where git starts
    kept = {"GIT_INDEX_FILE": str(folder.absolute() / index)} if index else {}
    return Repository(Path(os.fsdecode(git_dir.removesuffix(b"\n"))), top, environ, kept)


def configured(repo: Repository, pattern: str, *options: str) -> dict[str, str]:
    """The settings that git itself would see, by name; to be read, never to be obeyed as a whole.

    Other than for all that is run here, the system's configuration and GIT_CONFIG_COUNT count.
    """
    folder = repo.configuration or repo.git_dir
    return dict(_configured(folder, repo.variables, {"GIT_DIR": str(folder)}, pattern, *options))


def run(repo: Repository, *command: str, data: bytes = b"", work_tree: bool = False) -> bytes:
    """Standard output of a git command. Raises GitError with git's own words if it fails."""
    done = _run_in(repo, command, data=data, work_tree=work_tree)
    if done.returncode:
        raise _failure(repo, command, done.stderr)
    return done.stdout


def asks(repo: Repository, *command: str, work_tree: bool = False) -> str | None:
    """The output of a git command without its newline; None if git says no."""
    done = _run_in(repo, command, work_tree=work_tree)
    return None if done.returncode else os.fsdecode(done.stdout).removesuffix("\n")


def run_for(repo: Repository, seconds: float, *command: str) -> bytes | None:
    """Output of a git command that says no by failing; None where it took longer than that."""
    placed, folder, environment = _placed(repo, command, work_tree=False)
    arguments, every = safe_arguments(placed, repo.settings), safe_environment(repo.variables, environment)
    try:
        return subprocess.run(
            arguments, cwd=folder, env=every, capture_output=True, check=False, timeout=max(seconds, 0.01)
        ).stdout
    except subprocess.TimeoutExpired:
        return None


def run_within(repo: Repository, most: int, *command: str) -> bytes:
    """Output of a git command, cut after `most` + 1 bytes, so that the cut can be told."""
    placed, folder, environment = _placed(repo, command, work_tree=False)
    with tempfile.TemporaryFile() as errors:
        process = subprocess.Popen(
            safe_arguments(placed, repo.settings),
            cwd=folder,
            env=safe_environment(repo.variables, environment),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=errors,
        )
        with process:
            assert process.stdout is not None
            output = process.stdout.read(most + 1)
            if len(output) > most:
                process.kill()
                return output
        if process.returncode:
            errors.seek(0)
            raise _failure(repo, command, errors.read())
    return output


def _failure(repo: Repository, command: tuple[str, ...], stderr: bytes) -> GitError:
    where = repo.top or repo.git_dir
    partial = r"^(extensions\.partialclone|remote\..*\.(promisor|partialclonefilter))$"
    if any(word in stderr for word in _LACKING) and configured(repo, partial):
        return NotFetched(
            f"{where} is a partial clone that lacks objects of this change, and hunkwise fetches nothing"
        )
    return GitError(f"git {command[0]} failed in {where}: {_message(stderr)}")


def blobs(repo: Repository, names: Iterable[str], most: int, total: int) -> dict[str, bytes]:
    """Contents by object name (`HEAD:path`, `:0:path`); without those missing or of more than `most` bytes.

    No more than `total` bytes are read together.
    """
    asked = [name for name in names if "\n" not in name]  # the protocol of --batch is a line each
    lines = run(repo, "cat-file", "--batch-check", data=_lines(asked)).split(b"\n")
    wanted: dict[str, bytes] = {}
    for name, line in zip(asked, lines, strict=False):
        fields = line.rsplit(b" ", 2)
        if len(fields) == 3 and fields[1] == b"blob" and int(fields[2]) <= min(most, total):
            wanted[name] = fields[0]
            total -= int(fields[2])
    ids = b"".join(blob + b"\n" for blob in wanted.values())
    return dict(zip(wanted, _contents(run(repo, "cat-file", "--batch", data=ids)), strict=True))


def _contents(output: bytes) -> list[bytes]:
    found, at = [], 0
    while at < len(output):
        end = output.index(b"\n", at)
        size = int(output[at:end].rsplit(b" ", 1)[1])
        found.append(output[end + 1 : end + 1 + size])
        at = end + size + 2
    return found


def _lines(names: Iterable[str]) -> bytes:
    return b"".join(os.fsencode(name) + b"\n" for name in names)


def _placed(
    repo: Repository, command: tuple[str, ...], *, work_tree: bool
) -> tuple[tuple[str, ...], Path, dict[str, str]]:
    """The command, the folder it runs in and its environment."""
    if work_tree:
        assert repo.top is not None
        places = {"GIT_DIR": str(repo.git_dir), "GIT_WORK_TREE": str(repo.top)}
        return command, repo.top, {**repo.environment, **places}
    return ("--bare", *command), repo.git_dir, {**repo.environment, "GIT_DIR": str(repo.git_dir)}


def _run_in(
    repo: Repository, command: tuple[str, ...], *, data: bytes = b"", work_tree: bool
) -> subprocess.CompletedProcess[bytes]:
    placed, folder, environment = _placed(repo, command, work_tree=work_tree)
    return _run(placed, folder, environment, repo.variables, data, repo.settings)


def _run(
    command: tuple[str, ...],
    folder: Path,
    own: Mapping[str, str],
    environ: Mapping[str, str],
    data: bytes = b"",
    settings: tuple[str, ...] = (),
) -> subprocess.CompletedProcess[bytes]:
    return _started(safe_arguments(command, settings), folder, safe_environment(environ, own), data)


def _started(
    arguments: list[str], folder: Path, environment: Mapping[str, str], data: bytes = b""
) -> subprocess.CompletedProcess[bytes]:
    try:
        return subprocess.run(
            arguments, cwd=folder, env=environment, input=data, capture_output=True, check=False
        )
    except FileNotFoundError:
        if not folder.is_dir():
            raise GitError(f"there is no folder {folder}") from None
        raise GitError("git is not installed, or not on PATH; install it, or give a diff as a file") from None


def safe_arguments(command: tuple[str, ...], settings: tuple[str, ...]) -> list[str]:
    """Write a command line of git that runs nothing of a repository's; `settings` come after ours."""
    return [
        "git",
        "--no-pager",
        *(part for setting in (*_SAFE, *settings) for part in ("-c", setting)),
        *command,
    ]


def _configured(
    folder: Path, environ: Mapping[str, str], places: Mapping[str, str], pattern: str, *options: str
) -> Iterator[tuple[str, str]]:
    """Names and values that `git config` knows, the last word last. It runs nothing, whatever they say."""
    kept = {name: value for name, value in environ.items() if _of_configuration(name)}
    environment = {**kept, **places, "LC_ALL": "C"}
    command = ["git", "--no-pager", "config", "-z", *options, "--get-regexp", pattern]
    for entry in _started(command, folder, environment).stdout.split(b"\0")[:-1]:
        name, _, value = entry.partition(b"\n")
        yield os.fsdecode(name), os.fsdecode(value) if b"\n" in entry else "true"


def _of_configuration(name: str) -> bool:
    return name in _KEPT or name.startswith("GIT_CONFIG_")


def _safe_directories(environ: Mapping[str, str]) -> tuple[str, ...]:
    """What safe.directory says where git heeds it: for the system, for the user, for this command."""
    # --show-scope puts the scope before each name, as an entry of its own
    found = list(_configured(Path("/"), environ, {}, r"^safe\.directory$", "--show-scope"))
    told = [
        value
        for (scope, _), (_, value) in zip(found[::2], found[1::2], strict=True)
        if scope in ("system", "global", "command")
    ]
    return tuple(f"safe.directory={value}" for value in told)


def safe_environment(environ: Mapping[str, str], own: Mapping[str, str]) -> dict[str, str]:
    """Give git the little of the environment that it needs; GIT_CONFIG_COUNT and the like are left out."""
    kept = {name: environ[name] for name in _KEPT if name in environ}
    return {**kept, **own, **_SAFE_ENVIRONMENT}


def _message(stderr: bytes) -> str:
    text = stderr.decode("utf-8", "replace").strip()
    return text.removeprefix("fatal: ") or "no reason given"


def _no_repository(folder: Path, message: str) -> str:
    if "not a git repository" in message:
        return f"{folder} is not inside a git repository; change into one, or give a diff as a file"
    return f"git does not read the repository of {folder}: {message}"
