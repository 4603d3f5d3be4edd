"""What a client asks to have reviewed: the body of `POST /api/review`, checked, and put into a folder."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePosixPath
from typing import Any

from hunkwise.reviewer.app.environment import Environment
from hunkwise.reviewer.app.review import Request
from hunkwise.reviewer.app.sources import Source
from hunkwise.reviewer.config.files import load
from hunkwise.reviewer.config.settings import Config, settings
from hunkwise.reviewer.errors import ReviewError
from hunkwise.reviewer.server.errors import Refused
from hunkwise.reviewer.server.state import Server
from hunkwise.reviewer.text.checked_json import Form, read_as
from hunkwise.reviewer.text.hostile_paths import hostile

LONGEST = 32 << 20  # characters of a diff or a file
_NAMES = 200  # characters of a file's path
# what a client may say of its review; how the machine is used is the operator's affair
ALLOWED = (
    *("language", "categories", "effort", "min_confidence", "min_severity", "max_comments"),
    *("include", "exclude", "disabled_rules"),
)


@dataclass(frozen=True, slots=True)
class Body:
    """One of `code` with `file_path`, `diff`, or `repository` with `from` and perhaps `to`.

    `wait` False answers at once with the address of a job.
    """

    file_path: str = ""
    code: str | None = None
    diff: str | None = None
    repository: str = ""
    since: str = ""
    to: str = ""
    model: str = ""
    settings: Mapping[str, Any] = field(default_factory=dict)
    wait: bool = True


def read_body(value: Mapping[str, Any]) -> Body:
    """Read the body. Raises FormError, Refused."""
    given = {("since" if key == "from" else key): part for key, part in value.items()}
    if "since" in value:
        raise Refused(400, "since is no key of a review; the first revision is from")
    body = read_as(Form(partial=True, longest_text=LONGEST), Body, given)
    named = [name for name, part in (("code", body.code), ("diff", body.diff)) if part is not None]
    named += ["repository"] if body.repository else []
    if len(named) != 1:
        raise Refused(400, "give one of code with file_path, diff, or repository with from and to")
    if body.code is not None:
        _check_path(body.file_path)
    if body.repository and not body.since:
        raise Refused(
            400, "a repository's review needs from, the revision that the change begins at", param="from"
        )
    if unknown := sorted(set(body.settings) - set(ALLOWED)):
        raise Refused(
            400, f"settings has no {unknown[0]}; it may have {', '.join(ALLOWED)}", param="settings"
        )
    return body


def _check_path(path: str) -> None:
    """Refuse what is no plain path inside a project. Raises Refused."""
    parts = PurePosixPath(path).parts
    plain = len(path) <= _NAMES and path.isprintable() and not path.startswith("-") and "\\" not in path
    if hostile(path) or not plain or "." in parts:
        raise Refused(
            400, "file_path must name the file inside its project, such as src/main.py", param="file_path"
        )
    if max(len(part.encode()) for part in parts) > 255:
        raise Refused(400, "file_path has a name that is too long", param="file_path")


@contextmanager
def prepared(server: Server, body: Body, seconds: float) -> Iterator[tuple[Request, Environment]]:
    """Make what a review is asked with; a text lies in a folder of its own, which is removed at the end.

    Nothing that a client sends is trusted: no settings, rules or guidelines of the change are believed. Raises
    Refused, ReviewError.
    """
    with tempfile.TemporaryDirectory(prefix="hunkwise-review-") as made:
        empty, work = Path(made, "empty"), Path(made, "work")
        empty.mkdir()
        work.mkdir()
        folder, source = _source(server, body, work)
        environment = Environment(server.environment.variables, folder, lambda sentence: None)
        with placeless(folder, body.repository):
            config = load(
                flags=_flags(body),
                environ=environment.variables,
                folder=folder if body.repository else empty,
                trusted=False,
                before=source.start,
            )
            yield Request(source, _bounded(config, seconds), trusted=False), environment


@contextmanager
def placeless(folder: Path, name: str) -> Iterator[None]:
    """Tell clients what went wrong, and not where on this machine it was. Raises Refused for a ReviewError."""
    try:
        yield
    except ReviewError as error:
        raise Refused(
            400, str(error).replace(str(folder), name or "the change"), code="invalid_value"
        ) from error


def _source(server: Server, body: Body, work: Path) -> tuple[Path, Source]:
    if body.diff is not None:
        (work / "change.diff").write_bytes(body.diff.encode("utf-8", "surrogateescape"))
        return work, Source((str(work / "change.diff"),))
    if body.code is not None:
        path = work / body.file_path
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(body.code, "utf-8", newline="")
        return work, Source((body.file_path,), scan=True)
    folder = folder_of(server, body.repository)
    for name, revision in (("from", body.since), ("to", body.to)):
        if revision.startswith("-") or not revision.isprintable() or len(revision) > 200:
            raise Refused(400, f"{name} is no revision", param=name)
    return folder, Source(starts=(body.since,), end=body.to or None)


def folder_of(server: Server, repository: str) -> Path:
    """Give the folder of one of the server's repositories. Raises Refused."""
    folder = server.settings.repositories.get(repository)
    if folder is None:
        raise Refused(404, f"repository {repository!r:.100} is not one of this server's", param="repository")
    return folder


def _flags(body: Body) -> dict[str, Any]:
    """Check the client's settings as a file's are. Raises Refused."""
    known, values = settings(), dict[str, Any]()
    for name, value in body.settings.items():
        try:
            values[name] = known[name].kind.check(value)
        except ValueError as error:
            raise Refused(400, f"settings.{name} must be {error}", param="settings") from None
    if body.model:
        values["model"] = body.model
    return values


def _bounded(config: Config, seconds: float) -> Config:
    """Let no review take longer than the server lets it."""
    most = max(1, int(seconds))
    return replace(config, max_time=min(config.max_time or most, most))
