"""Changes of a repository on this machine, read by git's plumbing, and whole files.

Every function takes the folder that the user stands in and gives a Change with the whole texts of its files.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from hunkwise.reviewer.diff.apply import apply, is_applied
from hunkwise.reviewer.diff.parse import Limits, parse_diff
from hunkwise.reviewer.errors import GitError
from hunkwise.reviewer.source.ci import Variables
from hunkwise.reviewer.source.commits import commit_id, empty_tree, is_shallow
from hunkwise.reviewer.source.git import (
    PATHS_AT_ONCE,
    PLAIN_DIFF,
    NotFetched,
    Repository,
    asks,
    blobs,
    repository,
    run,
    run_within,
)
from hunkwise.reviewer.source.merges import Side, known
from hunkwise.reviewer.source.worktree import LARGEST_FILE, borrowed, is_binary, place, read_regular, snapshot
from hunkwise.reviewer.text.decoding import decode
from hunkwise.reviewer.types import Change, FileDiff, Skipped

TEXT_BYTES = 128 * 1024 * 1024  # of all whole texts of one side together
_DIFF = ("-p", "-M", "-l1000", "-U3", "--diff-filter=u", *PLAIN_DIFF)
_OWN_CHANGES = "only what it changes by itself is reviewed, not what is merged as it was committed"


def staged(folder: Path, limits: Limits, environ: Variables) -> Change:
    """What is staged, against HEAD (against nothing before the first commit)."""
    repo = repository(folder, environ)
    if repo.top is None and not place(repo, "index").exists():
        raise GitError(f"{repo.git_dir} is a bare repository: nothing is staged there")
    return _against_head(repo, repo, limits, _unmerged(repo))


def working(folder: Path, limits: Limits, environ: Variables) -> Change:
    """All that is not committed: staged, unstaged, and files that git does not track yet."""
    repo = repository(folder, environ)
    if repo.top is None:
        raise GitError(
            f"{folder} is in no work tree of {repo.git_dir} (a bare repository has no work tree); change into one"
        )
    with snapshot(repo, limits.files) as taken:
        change = _against_head(repo, taken.repository, limits, taken.skipped)
        return replace(change, notes=(*change.notes, *taken.notes))


def commit(folder: Path, name: str, limits: Limits, environ: Variables) -> Change:
    """One commit, against its parent; of a merge what it changed by itself."""
    repo = repository(folder, environ)
    head = commit_id(repo, name)
    header = run(repo, "cat-file", "commit", head).split(b"\n\n", 1)[0]
    parents = [line[7:].decode() for line in header.split(b"\n") if line.startswith(b"parent ")]
    for parent in parents:
        if asks(repo, "cat-file", "-e", f"{parent}^{{commit}}") is None:
            raise GitError(
                f"the parent of {head} is not in this shallow clone; run `git fetch --deepen=1` first"
            )
    change = _since(Side(repo, head), parents, limits)
    if len(parents) > 1:
        note = f"{name} is a merge of {len(parents)} commits; {_OWN_CHANGES}"
        return replace(change, notes=(*change.notes, note))
    return change


def between(folder: Path, starts: Sequence[str], end: str, limits: Limits, environ: Variables) -> Change:
    """What `end` has that none of `starts` has: against the commits where they parted (`start...end`).

    The empty tree is a start too: then all of `end` is new.
    """
    repo = repository(folder, environ)
    head = commit_id(repo, end)
    if list(starts) == [empty_tree(repo)]:
        return _since(Side(repo, head), (), limits)
    first = [commit_id(repo, start) for start in starts]
    found = [base for start in first if (base := asks(repo, "merge-base", start, head)) is not None]
    if not found:
        named = " and ".join(starts)
        if is_shallow(repo):
            raise GitError(
                f"{named} and {end} have no common commit in this shallow clone; "
                "run `git fetch --unshallow` (or `git fetch --deepen=100`) first"
            )
        raise GitError(f"{named} and {end} have no common history, so there is no change between them")
    bases = run(repo, "merge-base", "--independent", *found).decode().split()
    change = _since(Side(repo, head), bases, limits)
    if bases == [head] and head not in first:
        start = starts[0]
        older = f"{end} is older than {start}, which has all of it; did you mean --from {end} --to {start}?"
        return replace(change, notes=(*change.notes, older))
    return change


def with_texts(folder: Path, change: Change, environ: Variables) -> Change:
    """The change with the whole texts of those files that its lines prove to be the ones meant.

    Looked for in the work tree (or the folder itself), the index, and HEAD: as they are after the patch, or
    before it, and then the patch is applied.
    """
    try:
        repo = repository(folder, environ)
    except GitError:
        repo = None
    wanted = [file for file in change.files if file.hunks and not file.binary and file.new_path is not None]
    texts = dict(change.new_texts)
    for candidates in _candidates(folder, repo, {path for file in wanted for path in _paths(file)}):
        for file in wanted:
            if file.path not in texts and (text := _proven(file, candidates)) is not None:
                texts[file.path] = text
    return replace(change, new_texts=texts)


def _against_head(
    repo: Repository, index: Repository, limits: Limits, skipped: tuple[Skipped, ...]
) -> Change:
    """What an index holds, against HEAD; in the midst of a merge, against all that is merged."""
    head = asks(repo, "rev-parse", "--verify", "--quiet", "HEAD^{commit}")
    merging = _merging(repo) if head else ()
    change = _since(Side(index, None), (head, *merging) if head else (), limits)
    note = (f"a merge is under way; {_OWN_CHANGES}",) if merging else ()
    return replace(change, skipped=(*change.skipped, *skipped), notes=(*change.notes, *note))


def _merging(repo: Repository) -> tuple[str, ...]:
    """The commits that are being merged into HEAD."""
    try:
        names = place(repo, "MERGE_HEAD").read_text("ascii").split()
    except (FileNotFoundError, UnicodeDecodeError):
        return ()
    return tuple(commit_id(repo, name) for name in names)


def _since(side: Side, parents: Sequence[str], limits: Limits) -> Change:
    """What a commit, or an index, has that none of its parents has."""
    repo = side.repository
    try:
        if len(parents) > 1:
            with borrowed(repo) as store:
                tree = known(side, parents, store, limits)
                change = _compared(replace(side, repository=store), tree, limits)
        else:
            change = _compared(side, parents[0] if parents else empty_tree(repo), limits)
    except NotFetched as error:
        commands = " && ".join(f"git diff {parent} {side.head or ''} >/dev/null" for parent in parents)
        raise GitError(f"{error}; let git fetch them first: `{commands}`") from None
    return replace(change, base=parents[0] if parents else None, head=side.head)


def _compared(side: Side, base: str, limits: Limits) -> Change:
    """The change that git's diff against a commit or tree shows."""
    command = side.diff(base, *_DIFF)
    return _read(side.repository, command, f"{base}:", f"{side.head or ':0'}:", limits)


def _read(repo: Repository, command: tuple[str, ...], old: str, new: str, limits: Limits) -> Change:
    """The change that a diff command prints; `old` and `new` name the two sides' objects."""
    change = parse_diff(run_within(repo, limits.bytes, *command), limits)
    new_texts = _texts(repo, new, (file.new_path for file in change.files if not file.submodule))
    old_texts = _texts(repo, old, (file.old_path for file in change.files if not file.submodule))
    change = replace(change, new_texts=new_texts, old_texts=old_texts)
    shown = {(file.path, file.part): file for file in _hidden_by_attributes(repo, command, change, limits)}
    return replace(change, files=tuple(shown.get((file.path, file.part), file) for file in change.files))


def _hidden_by_attributes(
    repo: Repository, command: tuple[str, ...], change: Change, limits: Limits
) -> Iterator[FileDiff]:
    """Text files that `-diff` or `binary` in .gitattributes calls binary: a change may not hide itself."""
    hidden = [
        file
        for file in change.files
        if file.binary
        and (file.new_path is None or file.new_path in change.new_texts)
        and (file.old_path is None or file.old_path in change.old_texts)
    ]
    for at in range(0, len(hidden), PATHS_AT_ONCE):
        paths = {path for file in hidden[at : at + PATHS_AT_ONCE] for path in _paths(file)}
        again = run_within(repo, limits.bytes, *command, "--text", "--", *sorted(paths))
        yield from parse_diff(again, limits).files


def _texts(repo: Repository, side: str, paths: Iterable[str | None]) -> dict[str, str]:
    names = {f"{side}{path}": path for path in paths if path is not None}
    found = blobs(repo, names, LARGEST_FILE, TEXT_BYTES)
    return {names[name]: decode(content) for name, content in found.items() if not is_binary(content)}


def _unmerged(repo: Repository) -> tuple[Skipped, ...]:
    output = run(repo, "ls-files", "-u", "-z")
    paths = sorted({os.fsdecode(entry.split(b"\t", 1)[1]) for entry in output.split(b"\0") if entry})
    return tuple(Skipped(path, "has a merge conflict that is not resolved", fault=True) for path in paths)


def _candidates(folder: Path, repo: Repository | None, paths: set[str]) -> Iterator[dict[str, str]]:
    """Texts by path, of one place after the other where the files of a patch may be."""
    tops = [folder.absolute()] if repo is None else [top for top in (repo.top, folder.absolute()) if top]
    for top in dict.fromkeys(tops):
        found = {path: _readable(top, path) for path in sorted(paths)}
        yield {path: decode(data) for path, data in found.items() if data and len(data) <= LARGEST_FILE}
    for side in (":0:", "HEAD:") if repo else ():
        assert repo is not None
        yield _texts(repo, side, sorted(paths))


def _readable(top: Path, path: str) -> bytes | None:
    """The file if it can be read: a diff is reviewed without the whole text too."""
    try:
        return read_regular(top, path)
    except OSError:
        return None


def _proven(file: FileDiff, texts: dict[str, str]) -> str | None:
    """The text after the patch, if this place's file is the patched one, before or after."""
    new = texts.get(file.new_path or "")
    if new is not None and is_applied(new, file):
        return new
    old = texts.get(file.old_path or "")
    return None if old is None else apply(old, file)


def _paths(file: FileDiff) -> list[str]:
    return [path for path in (file.old_path, file.new_path) if path is not None]
