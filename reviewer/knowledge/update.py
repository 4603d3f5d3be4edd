"""Bringing an index up to date: only files that changed are read, in as many processes as there are cores."""

from __future__ import annotations

import json
import os
import threading
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from hunkwise.reviewer.knowledge.listing import Listed, Root, files_of, within
from hunkwise.reviewer.knowledge.reading.file import Answer
from hunkwise.reviewer.knowledge.store.database import Damaged, discard, only_writer
from hunkwise.reviewer.knowledge.store.writer import Known, Writer
from hunkwise.reviewer.languages.parser import Child

_PROGRAM = (
    "from hunkwise.reviewer.knowledge.reading.limits import confine; confine();"
    " from hunkwise.reviewer.languages.parser import serve; serve()"
)
_PATIENCE = 8.0  # seconds of CPU time for one file
_LIVES = 10  # of one process; then what it is asked is read without grammars
_FEW = 50  # files that are read before another process is worth its start
_ANSWER = "hunkwise.reviewer.knowledge.reading.file:answer"
_CAREFUL = "hunkwise.reviewer.knowledge.reading.file:careful"
Tell = Callable[[int, int, str], None]
"""Hears of progress: files that are done, of how many, and the one that is next."""


@dataclass(frozen=True, slots=True)
class Done:
    """What an update did: files that were read anew, that only had another stamp, and that are gone."""

    read: int
    kept: int
    gone: int


def update(
    root: Root,
    path: Path,
    scope: Sequence[str],
    *,
    say: Callable[[str], None] = lambda _: None,
    tell: Tell = lambda *_: None,
    workers: int = 0,
) -> Done:
    """Bring the index of a folder, in the file `path`, up to date with the files below paths; all without any.

    What is known of other files stays. An index that is damaged is said to be, and built anew. Raises
    KnowledgeError.
    """
    with only_writer(path, say):
        try:
            return _update(root, path, scope, tell, workers)
        except Damaged as error:
            say(f"{str(error).partition(';')[0]}; it is built anew")
            discard(path)
            return _update(root, path, scope, tell, workers)


def _update(root: Root, path: Path, scope: Sequence[str], tell: Tell, workers: int) -> Done:
    with closing(Writer(path)) as writer:
        known = writer.known()
        stamps = {name: one.stamp for name, one in known.items()}
        there: set[str] = set()
        changed: list[Listed] = []
        for file in files_of(root, scope, stamps):
            there.add(file.path)
            if not file.stamp or stamps.get(file.path) != file.stamp:
                changed.append(file)
        gone = [one.row for name, one in known.items() if name not in there and within(name, scope)]
        last = writer.noted()
        of = _joined(last.get("scope"), scope)
        whole = last.get("complete", "yes") == "yes" or not scope or of == sorted(scope)
        if changed or gone or last.get("scope") != json.dumps(of):
            writer.note({"complete": "", "scope": json.dumps(of)})
            writer.commit()
        writer.forget(gone)
        read = kept = 0
        for number, (file, answer) in enumerate(_read(root, changed, known, workers), 1):
            before = known.get(file.path)
            if "reason" in answer:
                writer.put(file, answer, before.row if before else None)
                read += not file.reason
            elif before:
                writer.keep(file, before.row)
                kept += 1
            tell(number, len(changed), file.path)
        writer.note({"complete": "yes" if whole else ""})
        writer.commit()
        return Done(read, kept, len(gone))


def _joined(noted: str | None, scope: Sequence[str]) -> list[str]:
    """Give all paths that the index is of; none, which is all, once it was of all."""
    before = scope if noted is None else json.loads(noted)
    return sorted({*before, *scope}) if before and scope else []


def _read(
    root: Root, files: Sequence[Listed], known: Mapping[str, Known], workers: int
) -> Iterator[tuple[Listed, Answer]]:
    """Read files in processes, in order, a few ahead of the one that is taken."""
    workers = min(workers or os.cpu_count() or 1, 1 + len(files) // _FEW)
    mine = threading.local()
    children: list[Child] = []

    def read(file: Listed) -> Answer:
        if not hasattr(mine, "child"):
            mine.child = Child(_PROGRAM, lives=_LIVES)
            children.append(mine.child)
        blob = known[file.path].blob if file.path in known else ""
        question = (str(root.top), file.path, blob, root.algorithm)
        for function in (_ANSWER, _CAREFUL):
            answer: Answer | None = mine.child.ask(function, question, _PATIENCE)
            if answer is not None:
                return answer
        return {"blob": "", "reason": "can't be parsed"}

    ahead: deque[tuple[Listed, Future[Answer]]] = deque()
    pool = ThreadPoolExecutor(workers)
    try:
        for file in files:
            if file.reason:
                yield file, {"blob": "", "reason": file.reason}
                continue
            ahead.append((file, pool.submit(read, file)))
            if len(ahead) > 4 * workers:
                done, answer = ahead.popleft()
                yield done, answer.result()
        for done, answer in ahead:
            yield done, answer.result()
    finally:
        pool.shutdown(cancel_futures=True)
        for child in children:
            child.close()
