"""How often a review names what a change left behind, where that is known.

    python benchmarks/reach_left.py CLONE … [--only without|planted] [--cases 10]

`without` takes real commits that alter definitions, and leaves out one of their files: one with a use, by its
name, that fitted the old definition and not the new one, and whose line the commit mended. `planted` alters one
definition of HEAD, of a name of several words that nothing else in the repository has, and that other files use:
a parameter less, another name, a member less, a file that moved, a coroutine. Its objects are written into the
clone. A case is found if the file, or one of the files, is named; of others it is printed how the definition is
used there. The draw is the same each time.
"""

from __future__ import annotations

import argparse
import os
import posixpath
import random
import re
import subprocess
import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

from reach import _MADE, _PATIENCE, _altered, _drawn

from hunkwise.reviewer.diff.parse import Limits
from hunkwise.reviewer.knowledge.reach.calls import COUNTED, given, misfit
from hunkwise.reviewer.knowledge.reach.definitions import Changed
from hunkwise.reviewer.knowledge.reach.meaning import called_name
from hunkwise.reviewer.knowledge.reach.modules import SCRIPTS, is_kin, is_test, module_name
from hunkwise.reviewer.knowledge.reach.reach import altered, reach
from hunkwise.reviewer.knowledge.reach.results import judge_of, site
from hunkwise.reviewer.languages.symbols.read import language_of, symbols
from hunkwise.reviewer.languages.symbols.values import Mention, Symbol
from hunkwise.reviewer.source.git import Repository, blobs, repository
from hunkwise.reviewer.source.local import commit
from hunkwise.reviewer.types import Change, FileDiff

_MOST = 400_000  # bytes of a file
_MOST_USERS = 30  # files that use a planted name
_PLANTS = ("parameter", "name", "member", "module", "async")
_TELLING = re.compile(r"\w_\w|[a-z][A-Z]")  # names of several words: others than the definition's are rare
_ENUM = re.compile(r"\benum\b|\b(?:Enum|Flag|Choices)\b")


class Case(NamedTuple):
    """A change, the tree that it lies over, and the files that should be named, each with a use."""

    change: Change
    base: str
    what: str
    expected: dict[str, str]


def main() -> None:
    """Draw, look, print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("clones", nargs="+", type=Path)
    parser.add_argument("--cases", type=int, default=10, help="of each clone")
    parser.add_argument("--only", choices=("without", "planted"), default="without")
    arguments = parser.parse_args()
    seen: Counter[str] = Counter()
    for clone in arguments.clones:
        repo = repository(clone, os.environ)
        drawn = _without(repo, clone) if arguments.only == "without" else _planted(repo, clone)
        for case, _ in zip(drawn, range(arguments.cases), strict=False):
            found = reach(case.change, repo, case.base, _PATIENCE)
            named = {place.path for each in found.broken for place in each.places}
            hit = int(not named.isdisjoint(case.expected))
            kind = case.what.partition(" ")[0]
            seen.update({"cases": 1, "found": hit, kind: 1, f"{kind} found": hit, "late": found.late})
            path, use = next(iter(case.expected.items()))
            said = "found" if hit else "late" if found.late else "missed"
            print(f"{said} {clone.name} {case.change.head} {case.what} | {path}: {use}", flush=True)
    print({name: count for name, count in seen.items() if count})


def _without(repo: Repository, clone: Path) -> Iterator[Case]:
    """Give commits without a file that they had to mend, one case a commit."""
    for change, _ in _drawn(repo, clone, 10_000, "changed"):
        if change.base is None or change.head is None:
            continue
        touched = altered(change, repo, change.head, _PATIENCE)
        for file in change.files:
            path = file.old_path if file.old_path == file.new_path else None
            others = [row for row in touched if row[0] is not file]
            if path is None or not language_of(path) or not others:
                continue
            told = _broken_in(repo, change, path, others)
            if told:
                kept = tuple(each for each in change.files if each is not file)
                old = {p: text for p, text in change.old_texts.items() if p != path}
                new = {p: text for p, text in change.new_texts.items() if p != path}
                part = replace(change, files=kept, old_texts=old, new_texts=new)
                yield Case(part, change.base, told[0], {path: told[1]})
                break


def _broken_in(
    repo: Repository, change: Change, path: str, touched: Sequence[tuple[FileDiff, str, Changed | None]]
) -> tuple[str, str] | None:
    """Say what a file as it was uses of what changed, in a line that the commit mended; by names alone."""
    language = language_of(path)
    text, now = change.old_texts.get(path), change.new_texts.get(path)
    found = symbols(language, text) if text and now else None
    if found is None or text is None or now is None:
        return None
    assert change.base is not None
    assert change.head is not None
    for file, kind, one in touched:
        if one is None:
            name = (file.old_path or "").removesuffix("/__init__.py").rpartition("/")[2].rpartition(".")[0]
            for taken in found.imports:
                last = re.sub(r"\.[cm]?[jt]sx?$", "", taken.module.rpartition("/")[2])
                last = last.rpartition(".")[2] if language == "python" else last
                named = name in (last, taken.name)
                if named and _altered(repo, path, taken.line, change.base, change.head):
                    return f"module {file.old_path}", f"imports {taken.module} {taken.name}"
            continue
        word = re.compile(rf"\b{re.escape(one.old.name)}\b")
        moved = kind == "removed" and any(word.search(each or "") for each in change.new_texts.values())
        if moved or any(each.name == called_name(one) for each in found.definitions):
            continue
        if not is_kin(path, one.language):
            continue
        for use in found.uses:
            broken = use.name == called_name(one) and _is_broken(one, kind, use, text)
            if broken and _altered(repo, path, use.line, change.base, change.head):
                return f"{kind} {one.language} {one.path}:{one.old.qualified}", _used(use)
    return None


def _is_broken(one: Changed, kind: str, use: Mention, text: str) -> bool:
    if kind == "removed":
        return True
    if use.arguments is None or one.new is None:
        return False
    if kind == "arguments" and one.language in COUNTED:
        call = given(use.arguments, one.language)
        return bool(misfit(call, one.new.parameters, one.language)) and not misfit(
            call, one.old.parameters, one.language
        )
    if kind == "arguments":
        return False
    judge, here = judge_of(one.language, one.old, one.new), site(text, use.at, use.name)
    return judge is not None and here is not None and bool(judge(here, text))


def _used(use: Mention) -> str:
    call = "" if use.arguments is None else f"({', '.join(use.arguments)})"
    return f"{use.line}: {use.receiver + '.' if use.receiver else ''}{use.name}{call}"


def _git(clone: Path, *command: str, data: bytes | None = None, index: str = "") -> bytes:
    environment = {**os.environ, **({"GIT_INDEX_FILE": index} if index else {})}
    return subprocess.run(
        ["git", *command],
        cwd=clone,
        input=data,
        capture_output=True,
        check=command[0] != "grep",
        env=environment,
    ).stdout


def _planted(repo: Repository, clone: Path) -> Iterator[Case]:
    """Give changes of one definition of HEAD whose name is used elsewhere, the kinds by turns."""
    paths = [
        p
        for p in os.fsdecode(_git(clone, "ls-tree", "-r", "--name-only", "HEAD")).split("\n")
        if language_of(p)
    ]
    paths = [path for path in paths if not _MADE.search(path) and not is_test(path)]
    chance = random.Random(11)
    chance.shuffle(paths)
    turn = 0
    for path in paths:
        text = _text(repo, path)
        found = symbols(language_of(path), text) if text else None
        if not found or not text:
            continue
        every = list(found.definitions)
        chance.shuffle(every)
        for kind in (*_PLANTS[turn:], *_PLANTS[:turn]):
            case = _first(repo, clone, path, text, kind, every)
            if case is not None:
                turn = (_PLANTS.index(kind) + 1) % len(_PLANTS)
                yield case
                break


def _text(repo: Repository, path: str) -> str:
    content = blobs(repo, [f"HEAD:{path}"], _MOST, _MOST).get(f"HEAD:{path}", b"")
    return content.decode("utf-8", "replace")


def _first(
    repo: Repository, clone: Path, path: str, text: str, kind: str, every: list[Symbol]
) -> Case | None:
    if kind == "module":
        return _moved(repo, clone, path, text)
    for one in every[:40]:
        planted = _altered_text(path, text, kind, one)
        if not _TELLING.search(one.name) or planted is None or planted == text:
            continue
        users = _users(repo, clone, path, one, kind)
        if users:
            change = commit(clone, _committed(clone, {path: planted}), Limits(), os.environ)
            return Case(
                change, change.head or "", f"{kind} {language_of(path)} {path}:{one.qualified}", users
            )
    return None


def _altered_text(path: str, text: str, kind: str, one: Symbol) -> str | None:
    language = language_of(path)
    function = one.kind in ("function", "method")
    if kind == "name" and (function or one.kind in ("class", "type")):
        return re.sub(rf"(?<!\w){re.escape(one.name)}(?!\w)", f"{one.name}Planted", text)
    if kind == "member" and one.kind == "member" and _in_enum(text, one):
        lines = text.split("\n")
        return "\n".join(lines[: one.line - 1] + lines[one.line :])
    if kind == "async" and one.kind == "function" and "async" not in one.marks and "async" not in one.head:
        word = "def" if language == "python" else "function" if language in SCRIPTS else ""
        return (
            re.sub(rf"(?<!\w){word}(\s+{re.escape(one.name)}\b)", rf"async {word}\1", text) if word else None
        )
    if kind == "parameter" and function and one.parameters and language != "javascript":
        last = one.parameters[-1]
        if last.kind == "plain" and last.default is None and last.name and len(one.parameters) < 8:
            at = text.find("(", one.at + len(one.name))
            head = re.compile(rf",?\s*(?:[\w<>\[\]*&:. ]+[ *&])?\b{re.escape(last.name)}\b[^,()]*(?=\))")
            found = head.search(text, at, at + 400) if at >= 0 else None
            sound = found is not None and not re.search("[<>]", found[0])
            return text[: found.start()] + text[found.end() :] if found and sound else None
    return None


def _in_enum(text: str, one: Symbol) -> bool:
    holder = one.qualified.rpartition(".")[0].rpartition(".")[2]
    found = re.search(rf"^.*\b{re.escape(holder)}\b.*$", text, re.MULTILINE) if holder else None
    lines = text.split("\n")
    return bool(found and _ENUM.search(found[0])) and lines[one.line - 1].count(",") <= 1


def _users(repo: Repository, clone: Path, path: str, one: Symbol, kind: str) -> dict[str, str]:
    """Give the other files that use a definition, with the first use; none where its name is another's too."""
    language = language_of(path)
    listed = os.fsdecode(_git(clone, "grep", "-lwF", "-e", one.name, "HEAD", "--"))
    files = [line.partition(":")[2] for line in listed.split("\n") if line]
    if not 1 < len(files) <= _MOST_USERS:
        return {}
    used: dict[str, str] = {}
    for each in files:
        found = symbols(language_of(each), _text(repo, each)) if is_kin(each, language) else None
        if found is None:
            continue
        if any(
            other.name == one.name and (each != path or other.qualified != one.qualified)
            for other in found.definitions
        ):
            return {}
        for use in found.uses if each != path else ():
            fits = use.name == one.name and (use.arguments is not None or kind in ("name", "member"))
            if fits and (kind != "parameter" or len(use.arguments or ()) == len(one.parameters)):
                used.setdefault(each, _used(use))
    return used


def _moved(repo: Repository, clone: Path, path: str, text: str) -> Case | None:
    """Move a file that others import."""
    name, language = module_name(path), language_of(path)
    if language not in ("python", *SCRIPTS) or len(name) < 4 or path.endswith("__init__.py"):
        return None
    listed = os.fsdecode(_git(clone, "grep", "-lwF", "-e", name, "HEAD", "--")).split("\n")
    used: dict[str, str] = {}
    for each in [line.partition(":")[2] for line in listed if line][:_MOST_USERS]:
        found = (
            symbols(language_of(each), _text(repo, each)) if each != path and is_kin(each, language) else None
        )
        for taken in found.imports if found is not None else ():
            if _is_module(path, each, taken.module):
                used.setdefault(each, f"{taken.line}: imports {taken.module}")
    if not used:
        return None
    folder, _, base = path.rpartition("/")
    there = f"{folder}/planted_{base}".lstrip("/")
    change = commit(clone, _committed(clone, {path: None, there: text}), Limits(), os.environ)
    return Case(change, change.head or "", f"module {language} {path}", used)


def _is_module(path: str, importer: str, module: str) -> bool:
    """Tell whether a module is a file, as another names it: relative, or of Python by more than its last name."""
    stem = path.rpartition(".")[0].removesuffix("/index")
    if language_of(path) == "python":
        return "." in module.lstrip(".") and f".{stem.replace('/', '.')}".endswith(f".{module.lstrip('.')}")
    there = posixpath.normpath(posixpath.join(posixpath.dirname(importer), module))
    return module.startswith(".") and re.sub(r"\.[cm]?[jt]sx?$", "", there) == stem


def _committed(clone: Path, texts: dict[str, str | None]) -> str:
    """Make a commit over HEAD with other texts, None for a file less; no reference names it."""
    with tempfile.TemporaryDirectory() as folder:
        index = f"{folder}/index"
        _git(clone, "read-tree", "HEAD", index=index)
        for path, text in texts.items():
            if text is None:
                _git(clone, "update-index", "--force-remove", path, index=index)
                continue
            blob = _git(clone, "hash-object", "-w", "--stdin", data=text.encode()).decode().strip()
            _git(clone, "update-index", "--add", "--cacheinfo", f"100644,{blob},{path}", index=index)
        tree = _git(clone, "write-tree", index=index).decode().strip()
    who = ("-c", "user.name=a", "-c", "user.email=a")
    return _git(clone, *who, "commit-tree", tree, "-p", "HEAD", "-m", "planted").decode().strip()


if __name__ == "__main__":
    main()
