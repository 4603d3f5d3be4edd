"""What the job of GitHub or GitLab has to work with: the inputs of action.yml, and the commits in the checkout."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from hunkwise.reviewer.config.files import LARGEST_FILE
from hunkwise.reviewer.config.named_files import read_as_of
from hunkwise.reviewer.errors import UsageError, nearest
from hunkwise.reviewer.source.ci import Range
from hunkwise.reviewer.source.commits import empty_tree
from hunkwise.reviewer.source.git import Repository, asks, repository, run
from hunkwise.reviewer.types import Severity

_LARGEST_SUMMARY = 1_000_000  # bytes; GitHub refuses more than 1 MiB for all of a step
REPORTERS = ("github-pr-review", "github-pr-annotations", "none")
FILTER_MODES = ("added", "diff_context")
# reviewdog's levels, as our severities: the least severe that each one takes in
LEVELS = {"error": Severity.HIGH, "warning": Severity.MEDIUM, "info": Severity.INFO, "any": Severity.INFO}


@dataclass(frozen=True, slots=True)
class Inputs:
    """The inputs of action.yml that the review needs, checked; "" where one is not given."""

    reporter: str
    workdir: Path
    config: str = ""  # relative to `workdir`, read from the base commit
    model: str = ""
    fail_on: str = ""  # a severity, or "none"
    min_severity: str = ""
    min_confidence: str = ""
    max_comments: str = ""
    language: str = ""

    @property
    def flags(self) -> list[str]:
        """Give the flags of `review` that say the same."""
        said = {
            "--model": self.model,
            "--fail-on": self.fail_on,
            "--min-severity": self.min_severity,
            "--min-confidence": self.min_confidence,
            "--max-comments": self.max_comments,
            "--language": self.language,
        }
        return [f"{flag}={value}" for flag, value in said.items() if value]


def read_inputs(environ: Mapping[str, str]) -> Inputs:
    """Read and check INPUT_… . Raises UsageError that names the input and what it may be."""

    def given(name: str, default: str = "") -> str:
        return environ.get(f"INPUT_{name.upper()}", "").strip() or default

    workspace = Path(environ.get("GITHUB_WORKSPACE") or ".").resolve()
    workdir = (workspace / given("workdir", ".")).resolve()
    if not workdir.is_relative_to(workspace) or not workdir.is_dir():
        raise UsageError(f"workdir {given('workdir')!r} is no folder of the checkout")
    if given("filter_mode") in (
        "file",
        "nofilter",
    ):  # reviewdog's others, for tools that report on whole files
        raise UsageError(
            f"filter_mode is {given('filter_mode')!r}; hunkwise judges changed lines and remarks on no other, "
            "so it may be added or diff_context"
        )
    _one_of("filter_mode", given("filter_mode", "added"), FILTER_MODES)
    return Inputs(
        reporter=_one_of("reporter", given("reporter", REPORTERS[0]), REPORTERS),
        workdir=workdir,
        config=given("config"),
        model=given("model"),
        fail_on=_severity("fail_level", given("fail_level")),
        min_severity=_severity("min_severity", given("min_severity")) or _severity("level", given("level")),
        min_confidence=given("min_confidence"),
        max_comments=given("max_comments"),
        language=given("language"),
    )


_CHECKOUT = (
    "give actions/checkout the lines "
    "`fetch-depth: 0` and `ref: ${{ github.event.pull_request.head.sha || github.sha }}`"
)


def check_history(folder: Path, commits: Range, environ: Mapping[str, str], remedy: str = _CHECKOUT) -> Range:
    """Make sure that both commits are in the checkout; of a repository's first commit all is new.

    Raises UsageError that says how to get them.
    """
    repo = repository(folder, environ)
    for commit in (commits.head, commits.base):
        if asks(repo, "cat-file", "-e", f"{commit}^{{commit}}") is None:
            if commit == f"{commits.head}^" and _is_first(repo, commits.head):
                return Range(empty_tree(repo), commits.head)
            raise UsageError(f"commit {commit[:12]} is not in the checkout; {remedy}")
    return commits


def _is_first(repo: Repository, commit: str) -> bool:
    """Tell a commit without a parent from one whose parent was not fetched."""
    header = run(repo, "cat-file", "commit", commit).partition(b"\n\n")[0]
    return b"\nparent " not in header


def base_config(folder: Path, commits: Range, name: str, into: Path, environ: Mapping[str, str]) -> Path:
    """Copy a configuration as it stood at the base, where the change's author could not write it.

    Raises UsageError if it is not there.
    """
    if name.startswith("/") or ".." in Path(name).parts:
        raise UsageError(f"config {name!r} leads out of the repository; give it relative to workdir")
    path = folder.resolve() / name
    found = read_as_of(commits.base, [path], LARGEST_FILE, environ)
    if path not in found:
        raise UsageError(
            f"config {name!r} is not in the base commit {commits.base[:12]}, from which it is read"
        )
    copy = into / path.name
    copy.write_bytes(found[path])
    return copy


def append_summary(environ: Mapping[str, str], text: str) -> None:
    """Append a report in Markdown to the job's summary, whole lines of it, as much as GitHub takes."""
    path = environ.get("GITHUB_STEP_SUMMARY")
    if not path:
        return
    data = text.encode("utf-8")
    if len(data) > _LARGEST_SUMMARY:
        data = data[: data.rindex(b"\n", 0, _LARGEST_SUMMARY) + 1] + b"\n(cut; the report has more)\n"
    with Path(path).open("ab") as file:
        file.write(data)


def _one_of(name: str, value: str, allowed: tuple[str, ...]) -> str:
    if value not in allowed:
        raise UsageError(f"{name} is {value!r}; it may be {', '.join(allowed)}{nearest(value, allowed)}")
    return value


def _severity(name: str, value: str) -> str:
    """Read one of reviewdog's levels, or of our severities, as a severity."""
    none = ("none",) if name == "fail_level" else ()
    if value:
        _one_of(name, value, (*none, *LEVELS, *map(str, Severity)))
    return str(LEVELS.get(value, value))
