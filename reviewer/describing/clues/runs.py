"""What runs of changed code do: a new check, an error, a comment, a name that is used for the first time."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterator, Sequence

from hunkwise.reviewer.describing.clues.clue import (
    LONGEST_LINE,
    LONGEST_QUOTE,
    Clue,
    Tells,
    View,
    clipped,
    is_balanced,
    quoted,
)
from hunkwise.reviewer.describing.clues.swaps import Swap
from hunkwise.reviewer.report.summary import plural
from hunkwise.reviewer.types import Hunk, LineKind

_IF = re.compile(r"(?:\}\s*)?(?:else\s+)?(?:if|elif|elsif|unless)\b\s*(.*)")
_LEAVES = re.compile(
    r"(return|continue|break|throw|raise|panic|bail|goto|exit)\b(?:!|\s+new\b)?\s*\(?\s*([A-Za-z_][\w.]*)?"
)
_VERBS = {"return": "Return", "continue": "Skip", "break": "Stop", "goto": "Leave", "exit": "Exit"}
_THROWN = re.compile(
    r"\b(?:throw|raise|panic|bail|abort|fatal|Errorf?|errors\.New|[A-Z]\w*(?:Error|Exception)|\w*err\w*)\b[^\"'`]{0,60}"
    r"([\"'`])((?:(?!\1).){6,100})\1",
)
_CALL = re.compile(r"(?<![\w.$])((?:[A-Za-z_]\w*(?:\.|::|->))*[A-Za-z_]\w{3,})[!]?\(")
_TYPE = re.compile(r"(?<![\w.\"'])[A-Z][a-z]+[A-Z]\w*")
_COMMENT = re.compile(r"\s*(?://[/!]?|#(?![a-z!\[])|/\*{1,2}|\*(?!/)|--)\s?(.*)")
_NO_SENTENCE = re.compile(
    r"copyright|licen[cs]e|eslint|noqa|pylint|nolint|@|TODO|FIXME|[;{}]$", re.IGNORECASE
)
_FEWEST = 4  # words of a comment that tells something
_SHORT = 6  # lines of code of which one call tells
_PLAIN = re.compile(r"(?<![%{$\w])[A-Za-z]{2,}")  # words of a message that are no place for a value
_THEN = re.compile(r"\)\s*(?:return|continue|break|throw)\b")
_ONE_WORD = re.compile(r"""(?<=["'])[A-Za-z][\w.:/-]{3,40}(?=["'])""")
_STRING = re.compile(r"\"(?:[^\"\\]|\\.)*\"|'(?:[^'\\]|\\.)*'")
_DEFINES = re.compile(
    r"(?:def|func|fn|fun|function|class|struct|enum|type|interface|let|const|var|val|void|auto)\s+"
    r"(?:\([^)]{0,40}\)\s*)?(\w+)|(\w+)\s*:?="
)
_NO_CALL = frozenset(
    {
        "self",
        "super",
        "this",
        "assert",
        "sizeof",
        "typeof",
        "defined",
        "isinstance",
        "return",
        "switch",
        "while",
        "catch",
        "function",
    }
)


def of_runs(view: View) -> Iterator[Clue]:
    """Give what runs of changed code do."""
    old = _words(view, "removed")
    before = " ".join(line.text.strip(" \t/*#") for run in view.runs for line in run.removed)
    gone = Counter(text for run in view.runs for text in _side(view, run, "removed"))
    for run in view.runs:
        yield from _guard(view, run, gone)
        yield from _said(view, run, before)
        yield from _thrown(view, run, old)
        yield from _instead(view, run)
    yield from _used(view)


def of_swaps(view: View, swaps: Sequence[Swap | None]) -> Iterator[Clue]:
    """Word each run of code in which one thing came in for another."""
    for run, swap in zip(view.runs, swaps, strict=False):
        if (
            swap
            and re.findall(r"\w+", swap.old) != re.findall(r"\w+", swap.new)
            and swap.old
            and swap.new
            and len(swap.old) + len(swap.new) <= LONGEST_QUOTE
            and _side(view, run, "added")
        ):
            yield Clue(
                Tells.RUN, f"Change {quoted(swap.old)} to {quoted(swap.new)}", 2, "in", _inside(view, run)
            )


def _instead(view: View, run: Hunk) -> Iterator[Clue]:
    """Word a short run in which one thing is called and another no longer is."""
    old, new = _side(view, run, "removed"), _side(view, run, "added")
    if not old or not new or len(old) + len(new) > _SHORT:
        return
    defined = {word for text in (*old, *new) for found in _DEFINES.findall(text) for word in found if word}
    before, after = _called(old), _called(new)
    gone, come = (
        [name for name in side if name not in other and re.split(r"\W+", name)[-1] not in defined]
        for side, other in ((before, after), (after, before))
    )
    if len(gone) == len(come) == 1 and len(gone[0]) + len(come[0]) <= LONGEST_QUOTE:
        says = f"Use {quoted(come[0])} instead of {quoted(gone[0])}"
        yield Clue(Tells.RUN, says, len(old) + len(new), "in", _inside(view, run))


def _called(texts: Sequence[str]) -> Collection[str]:
    found = dict.fromkeys(name for text in texts for name in _CALL.findall(_STRING.sub('""', text)))
    return [name for name in found if name not in _NO_CALL]


def moved_lines(view: View) -> Iterator[Clue]:
    """Word a change after which all lines are still there, in another order."""
    lines = [(line.kind, line.text.strip()) for run in view.runs for line in run.lines if line.text.strip()]
    old, new = (Counter(text for kind, text in lines if kind == side) for side in ("removed", "added"))
    if new and old == new:
        first = next(text for kind, text in lines if kind == "added")
        more = f" and {plural(new.total() - 1, 'more line')}" if new.total() > 1 else ""
        yield Clue(
            Tells.RUN, f"Move {quoted(clipped(first, LONGEST_QUOTE - len(more)))}{more}", 2 * new.total()
        )


def _side(view: View, run: Hunk, kind: LineKind) -> list[str]:
    texts = [view.code(line)[:LONGEST_LINE].strip() for line in run.lines if line.kind == kind]
    return [text for text in texts if text]


def _inside(view: View, run: Hunk) -> str:
    found = (view.inside.get(line.numbers, "") for line in run.lines if line.kind == "added")
    return ".".join(next((name for name in found if name), "").split(".")[-2:])


def _guard(view: View, run: Hunk, gone: Collection[str]) -> Iterator[Clue]:
    """Word a condition that is new, with all that was there before still there."""
    old, new = _side(view, run, "removed"), _side(view, run, "added")
    if not new or Counter(old) - Counter(new):
        return
    fresh = list((Counter(new) - Counter(old)).elements())
    found = _IF.match(new[0])
    condition = _condition(found[1]) if found else ""
    if not found or not condition or new[0] not in fresh or any(condition in text for text in gone):
        return
    word = "unless" if "unless" in new[0].split("(")[0].split() else "if"
    leaves = next(filter(None, map(_LEAVES.search, new[:1] if ";" in new[0] else new[1:2])), None)
    if leaves is None or not set(new[:2]) <= set(fresh):
        says = f"Check {quoted(condition)}" if word == "if" else f"Check that not {quoted(condition)}"
    elif leaves[1] in _VERBS:
        says = f"{_VERBS[leaves[1]]} {word} {quoted(condition)}"
    else:
        what = quoted(leaves[2]) if leaves[2] and leaves[1] not in ("panic", "bail") else "an error"
        says = f"Raise {what} {word} {quoted(condition)}"
    yield Clue(Tells.RUN, says, len(run.lines), "in", _inside(view, run))


def _condition(text: str) -> str:
    """Give a condition without what opens the block, "" where it does not end on its line."""
    if leaves := _THEN.search(text):
        text = text[: leaves.start() + 1]
    text = text.strip().removesuffix("then").strip().rstrip("{:;").strip()
    if text.startswith("(") and text.endswith(")") and is_balanced(text[1:-1]):
        text = text[1:-1].strip()
    if ";" in text and " := " in text:
        text = text.rpartition(";")[2].strip()
    return text if is_balanced(text) and 3 <= len(text) <= LONGEST_QUOTE else ""


def _thrown(view: View, run: Hunk, old: frozenset[str]) -> Iterator[Clue]:
    """Word an error whose message is new."""
    for text in _side(view, run, "added"):
        found = _THROWN.search(text)
        if found and len(_PLAIN.findall(found[2])) > 1 and found[2] not in old and "import" not in text:
            message = found[2].removesuffix("\\n").strip(" :.")
            if 6 <= len(message) <= LONGEST_QUOTE:
                yield Clue(Tells.RUN, f"Raise {quoted(message)}", len(run.lines), "in", _inside(view, run))
            return


def _words(view: View, kind: LineKind) -> frozenset[str]:
    return frozenset(
        found[2] for run in view.runs for text in _side(view, run, kind) if (found := _THROWN.search(text))
    )


def _said(view: View, run: Hunk, before: str) -> Iterator[Clue]:
    """Give the first sentence of a comment that is new, and stands above new code."""
    words: list[str] = []
    for line in run.lines:
        if line.kind == "added" and (found := _COMMENT.match(line.text[:LONGEST_LINE])):
            if found[1].startswith("#") or not found[1].strip(" */"):
                words = words if len(words) > 1 else []
                if words:
                    break
                continue
            words.append(found[1].rstrip("*/ "))
        elif words:
            break
    text = " ".join(" ".join(words).split()).replace("`", "'")
    sentence = re.split(r"(?<=[^\s.A-Z])[.!?](?:\s|$)", text, maxsplit=1)[0]
    if (
        len(sentence.split()) >= _FEWEST
        and text[:1].isalpha()
        and sentence[:40] not in before
        and not _NO_SENTENCE.search(text)
    ):
        yield Clue(Tells.SAID, sentence, len(run.lines), "in", _inside(view, run))


def _used(view: View) -> Iterator[Clue]:
    """Name what code calls or takes for the first time in the file, and does not define itself."""
    if view.text is None:
        return
    lines = [(run, text) for run in view.runs for text in _side(view, run, "added")]
    changed = Counter(name for _, text in lines for name in _named(text))
    whole = Counter(name for text in view.text.split("\n") for name in _named(text[:LONGEST_LINE]))
    gone = {name for run in view.runs for text in _side(view, run, "removed") for name in _named(text)}
    defined = {word for _, text in lines for found in _DEFINES.findall(text) for word in found if word}
    yield from _strings(view, lines)
    for name, count in changed.most_common():
        if whole[name] > count or name in gone or re.split(r"\W+", name)[-1] in defined:
            continue
        runs = [run for run, text in lines if name in text]
        yield Clue(
            Tells.USE,
            f"Use {quoted(name)}",
            sum(len(run.lines) for run in dict.fromkeys(runs)),
            "in",
            _inside(view, runs[0]),
        )


def _strings(view: View, lines: Sequence[tuple[Hunk, str]]) -> Iterator[Clue]:
    """Give the strings of one word that stand in the file for the first time."""
    for run, text in lines:
        for word in _ONE_WORD.findall(text):
            if (view.text or "").count(word) == sum(line.count(word) for _, line in lines):
                yield Clue(Tells.USE, f"Add {quoted(word)}", 1, "to", _inside(view, run))


def _named(text: str) -> Sequence[str]:
    bare = _STRING.sub('""', text)
    found = dict.fromkeys([*_CALL.findall(bare), *_TYPE.findall(bare)])
    return [name for name in found if name not in _NO_CALL and len(name) <= LONGEST_QUOTE]
