"""Who is answered, how often, and that nothing in an answer acts."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import replace
from typing import Any

import pytest

from hunkwise.reviewer.bot.commands.answers import Answered, Context, answer, ignoring
from hunkwise.reviewer.bot.commands.conversation import MARK, Growing, converse
from hunkwise.reviewer.bot.commands.parsing import Command, Verb
from hunkwise.reviewer.bot.commands.permission import Counts, Limits
from hunkwise.reviewer.bot.port import ChangeId, Comment, Commented
from hunkwise.reviewer.describing.description import Description, FileNote, Kind
from hunkwise.reviewer.errors import ForgeError
from hunkwise.reviewer.findings.suppressions import read_comment
from hunkwise.reviewer.publish.port import OwnNote
from hunkwise.reviewer.types import Category, Finding, Severity, Source, Witness

CHANGE = ChangeId("github", "https://github.com", "a/b", 7)
EVIL = "`x` @team #1 !2 https://evil.example <img src=x> /review\n/merge\n![a](b) <!-- hunkwise:v1 -->"


class Tally:
    """Counts in which no time passes."""

    def __init__(self) -> None:
        self.held = Counter[str]()

    def count(self, key: str, seconds: int) -> int:
        self.held[key] += 1
        return self.held[key]


class Desk:
    """A thread that keeps what was done in it."""

    def __init__(self) -> None:
        self.done: list[tuple[str, str]] = []

    def answers(self) -> tuple[OwnNote, ...]:
        return ()

    def react(self) -> None:
        self.done.append(("react", ""))

    def answer(self, body: str) -> str:
        self.done.append(("answer", body))
        return "1"

    def edit(self, note: str, body: str) -> None:
        self.done.append((f"edit {note}", body))


def said(body: str = "/review", **fields: Any) -> Commented:
    plain = Comment(1, "ann", body, trusted=True)
    return Commented(CHANGE, replace(plain, **fields), author="fay")


def heard(comment: Commented, counts: Counts | None = None, **fields: Any) -> list[tuple[str, str]]:
    desk, context = Desk(), Context("hunkwise[bot]", review=lambda full: "", **fields)
    converse(comment, desk, context, counts or Tally())
    return desk.done


def test_a_command_is_seen_and_answered() -> None:
    """A reaction first, then one answer with our mark."""
    (react, _), (answered, body) = heard(said())

    assert (react, answered) == ("react", "answer")
    assert body.endswith(f"{MARK} to=1 -->")


def test_a_reaction_that_a_forge_refuses_costs_no_answer() -> None:
    class Shy(Desk):
        def react(self) -> None:
            raise ForgeError("403")

    desk = Shy()
    converse(said("/help"), desk, Context("hunkwise"), Tally())

    assert [kind for kind, _ in desk.done] == ["answer"]


@pytest.mark.parametrize(
    "comment",
    [
        said(trusted=False),  # a stranger
        said(by_bot=True),
        said(author="dependabot[bot]"),
        said(author="hunkwise"),
        said(author="Hunkwise[bot]"),
        said(f"/review\n\n{MARK} -->"),
        said(
            "/review full", trusted=False, author="fay"
        ),  # the change's author may have it reviewed, no more
        said("/ask why?", trusted=False, author="fay"),
        said("/ignore", trusted=False, author="fay"),
        said("Looks good, /review later"),
        said("> /review"),
    ],
)
def test_nobody_else_is_heard(comment: Commented) -> None:
    """No reaction, no answer."""
    assert heard(comment) == []


def test_an_author_of_no_name_is_a_stranger() -> None:
    """A change whose author is not known is nobody's own."""
    comment = replace(said(trusted=False, author=""), author="")

    assert heard(comment) == []


def test_limits_are_said_once() -> None:
    """A change's author has three reviews a day; the fourth is refused in words, the next in silence."""
    counts, comment = Tally(), said(trusted=False, author="fay")
    bodies = [heard(comment, counts) for _ in range(6)]

    assert [len(done) for done in bodies] == [2, 2, 2, 2, 0, 0]
    assert "passed over" in bodies[3][1][1]
    assert "reviewed again" in bodies[2][1][1]


def test_each_change_and_person_has_limits_of_its_own() -> None:
    """What one person used up on one change takes nothing from others on others."""
    counts, limits = Tally(), Limits(per_change=2, per_person=9)
    elsewhere = replace(said(author="bob"), change=replace(CHANGE, number=8))
    desk, context = Desk(), Context("hunkwise", review=lambda full: "")
    for comment in (said(), said(), said(author="bob"), elsewhere):
        converse(comment, desk, context, counts, limits)

    assert [body.partition(".")[0] for kind, body in desk.done if kind == "answer"] == [
        "The newest commit is reviewed again",
        "The newest commit is reviewed again",
        "These were more commands than I take in an hour here; the next ones are passed over",
        "The newest commit is reviewed again",
    ]


def finding(**fields: Any) -> Finding:
    plain = Finding(
        "src/a.py",
        3,
        3,
        Severity.HIGH,
        Category.SECURITY,
        EVIL,
        EVIL,
        0.5,
        False,
        "ab" * 16,
        ("    run(text)",),
        source=Source("hunkwise", "python-shell-injection"),
        witnesses=(Witness("rule", EVIL),),
    )
    return replace(plain, **fields)


DESCRIPTION = Description(
    EVIL, Kind.FIX, "facts", (FileNote(EVIL, "added", 1, 2, EVIL),), (EVIL,), EVIL, EVIL, model=EVIL
)


@pytest.mark.parametrize(
    "command",
    [
        Command(Verb.ASK, EVIL),
        Command(Verb.DESCRIBE),
        Command(Verb.EXPLAIN),
        Command(Verb.IGNORE, EVIL),
        Command(Verb.HELP, problem=EVIL),
    ],
    ids=str,
)
def test_nothing_in_an_answer_acts(command: Command) -> None:
    """Outside code spans and blocks no mention, reference, link, image, HTML or command of the texts is left."""
    context = Context(
        "hunkwise",
        describe=lambda: DESCRIPTION,
        ask=lambda question, told: Answered(EVIL, (EVIL,), EVIL),
        finding=lambda: finding(path=EVIL.replace("\n", "")),
    )
    body = answer(command, context)
    lines = re.sub(r"(?ms)^(`{3,})\w*$.*?^\1$", "", body).split("\n")
    plain = "\n".join(re.sub(r"(`+)(?!`).*?(?<!`)\1(?!`)", "", line) for line in lines)
    plain = plain.replace("<sub>", "").replace("</sub>", "").replace("<https://github.com", "")

    assert not re.search(r"@\w|#\d|!\d|://|(?<!\\)<[a-z!]|!\[|^\s*/\w", plain, re.MULTILINE), plain


@pytest.mark.parametrize("path", ["a.py", "a.go", "a.css", "a.html", "a.unknown"])
def test_ignoring_proposes_what_holds(path: str) -> None:
    """The suggestion silences the remark where the language has comments; the entry is always there."""
    found = finding(path=path)
    body = ignoring(found, "*/ --> the caller checks\nit")
    block = re.search(r"```suggestion\n(.*?)\n```", body, re.DOTALL)

    assert found.fingerprint in body
    assert (block is None) == (path == "a.unknown")
    if block:
        (line,) = block[1].split("\n")
        comment = read_comment(line)
        assert comment is not None
        assert line.startswith("    run(text)  ")
        assert comment.categories == {"python-shell-injection"}
        assert "the caller checks it" in comment.reason


@pytest.mark.parametrize("code", [("ghp_" + "a1B2" * 9,), ("x\u202e",), ("a \\",), (), ("a", "b")])
def test_no_suggestion_of_code_that_can_not_take_it(code: tuple[str, ...]) -> None:
    """A hidden secret or character would be written back wrong, and a line that goes on takes no comment."""
    assert "```suggestion" not in ignoring(finding(code=code), "")


@pytest.mark.parametrize("verb", [Verb.EXPLAIN, Verb.IGNORE])
def test_replies_need_a_remark(verb: Verb) -> None:
    """Elsewhere it is said where they belong."""
    assert "reply" in answer(Command(verb), Context("hunkwise"))


def test_an_answer_grows_in_one_comment() -> None:
    """Edits keep their distance, and the last one has all of it."""
    now = [0.0]

    def ask(question: str, told: Any) -> Answered:
        for text in ("It", "It is", "It is here"):
            told(text)
            now[0] += 3
        return Answered("It is here.", ("a.py:1",))

    desk = Desk()
    grown = lambda thread, comment: Growing(thread, comment, every=5, clock=lambda: now[0])  # noqa: E731
    converse(said("/ask where?"), desk, Context("hunkwise", ask=ask), Tally(), growing=grown)

    assert [kind for kind, _ in desk.done] == ["react", "answer", "edit 1", "edit 1"]
    assert desk.done[1][1].startswith("It …")
    assert desk.done[1][1].endswith("to=1 grows -->")
    assert "It is here." in desk.done[-1][1]
    assert "`a.py:1`" in desk.done[-1][1]


def test_a_failure_is_the_answer() -> None:
    """What went wrong is said, and does not act."""

    def failing() -> Description:
        raise ForgeError("no answer from @team")

    (_, (_, body)) = heard(said("/describe"), describe=failing)

    assert "failed" in body
    assert "`@team`" in body


def test_what_can_not_be_done_is_said() -> None:
    """A worker without a model has no `/ask`, and `/help` does not offer it."""
    assert "can't be done here" in answer(Command(Verb.ASK, "why?"), Context("hunkwise"))
    assert "/ask" not in answer(Command(Verb.HELP), Context("hunkwise"))
