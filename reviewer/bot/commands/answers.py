"""What a command is answered with: Markdown in which no text of a model, a diff or a person acts on the forge."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass

from hunkwise.reviewer.bot.commands.parsing import Command, Verb
from hunkwise.reviewer.describing.description import Description
from hunkwise.reviewer.describing.rendering import render_markdown
from hunkwise.reviewer.findings.baseline import Entry
from hunkwise.reviewer.findings.explaining import explain, plain_reason, silencing
from hunkwise.reviewer.report.remark import page, sure
from hunkwise.reviewer.text.markdown import code_span, escape, fence
from hunkwise.reviewer.text.visible import visible
from hunkwise.reviewer.types import Finding

LONGEST_ANSWER = 20_000  # characters of what a model says

Told = Callable[[str], None]
"""Hears all that an answer has so far, as it is written."""


@dataclass(frozen=True, slots=True)
class Answered:
    """An answer to a question. `sources` are places, `path:line`; `passages` places and what stands there."""

    text: str
    sources: tuple[str, ...] = ()
    model: str = ""
    passages: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Context:
    """What the worker gives to answer with; what is None can't be done here.

    `review` has the newest head reviewed again, all of it if asked so, or says why not. `finding` is the remark
    that the comment replies to. `resolve` resolves its thread, and says whether it could.
    """

    name: str  # of the bot
    review: Callable[[bool], str] | None = None
    describe: Callable[[], Description] | None = None
    ask: Callable[[str, Told], Answered] | None = None
    finding: Callable[[], Finding | None] = lambda: None
    resolve: Callable[[], bool] | None = None


def answer(command: Command, context: Context, told: Told = lambda text: None) -> str:
    """Carry out a command, and give its answer in Markdown. Raises what the context's callables raise.

    `told` hears the answer to a question as it grows, in Markdown too.
    """
    match command.verb:
        case Verb.REVIEW if context.review is not None:
            if why := context.review(command.full):
                return f"Not reviewed: {why}."
            return f"The newest commit is reviewed again{', all of it' if command.full else ''}."
        case Verb.DESCRIBE if context.describe is not None:
            return render_markdown(context.describe())
        case Verb.ASK if context.ask is not None:
            made = context.ask(command.text, lambda text: told(_prose(text)))
            return _of_question(command.text, made)
        case Verb.EXPLAIN | Verb.IGNORE:
            found = context.finding()
            if found is None:
                return f"{code_span(f'/{command.verb}')} is a reply to a remark: reply to one of mine."
            return _of_remark(found) if command.verb is Verb.EXPLAIN else ignoring(found, command.text)
        case Verb.RESOLVE if context.resolve is not None:
            done = context.resolve()
            return "Resolved." if done else "`/resolve` is a reply in a thread of mine that is still open."
        case Verb.RESOLVE:
            return "The API of this forge resolves no threads: press the button below the thread."
        case Verb.HELP:
            return helping(context, command.problem)
        case _:
            return f"{code_span(f'/{command.verb}')} can't be done here."


def helping(context: Context, problem: str = "") -> str:
    """List the commands that can be given here."""
    rows = [
        (
            "/review",
            "review the newest commit again; `/review full` reads all of the change anew",
            context.review,
        ),
        ("/ask QUESTION", "ask about the change and its repository", context.ask),
        ("/describe", "say what the change does, file by file", context.describe),
        ("/explain", "as a reply to a remark: what was seen, who says so, how sure", True),
        ("/ignore [reason]", "as a reply to a remark: propose how to silence it", True),
        ("/resolve", "as a reply to a remark: resolve its thread", context.resolve),
        ("/help", "this list", True),
    ]
    lines = [f"- {code_span(verb)}: {says}" for verb, says, can in rows if can]
    mention = code_span(f"@{context.name.removesuffix('[bot]')} help")
    head = f"{escape(problem)}." if problem else "Commands, at the start of a line:"
    return "\n".join([head, "", *lines, "", f"{mention} and the like do the same. Settings stand in files."])


def _prose(text: str) -> str:
    return escape(text, LONGEST_ANSWER)


def _of_question(question: str, made: Answered) -> str:
    parts = [f"> {escape(' '.join(question.split()), 300)}", _prose(made.text)]
    parts += [f"{code_span(place)}:\n\n{fence(visible(text))}" for place, text in made.passages]
    if made.sources:
        parts.append("Sources: " + ", ".join(map(code_span, made.sources[:20])))
    if made.model:
        parts.append(f"<sub>{escape(f'Answered by {made.model}, which can be wrong.')}</sub>")
    return "\n\n".join(parts)


def _of_remark(finding: Finding) -> str:
    told = explain(finding)
    parts = [f"**{escape(finding.title)}** ({finding.severity}, {finding.category}, {escape(sure(finding))})"]
    if finding.code:
        parts.append(fence("\n".join(finding.code[:40])))
    parts.append(escape(told.seen))
    if address := page(finding):
        parts.append(f"<{address}>")
    parts.append("\n".join(["**Who says so**", *(f"- {escape(witness)}" for witness in told.witnesses)]))
    parts.append(f"**How sure that is**\n\n{escape(told.sure)}")
    parts.append("**How to have it said no more**")
    parts += [f"{escape(way.what)}:\n\n{fence(way.text)}" for way in told.silence]
    return "\n\n".join(parts)


def ignoring(finding: Finding, reason: str) -> str:
    """Propose how to silence a remark: a comment in the code as a suggestion, and an entry of the baseline.

    Nothing is written to the repository: who may, accepts what is proposed.
    """
    why = plain_reason(reason)
    parts = []
    if new := _silenced_code(finding, why):
        parts.append(f"In the code; look whether the line takes a comment:\n\n{fence(new, 'suggestion')}")
    entry = Entry(finding.fingerprint, finding.path, finding.title, why, None)
    added = "".join(f"+    {line}\n" for line in json.dumps(asdict(entry), indent=2).splitlines()).rstrip(
        "\n"
    )
    parts.append(f"Or in `.hunkwise/baseline.json`, among `entries`:\n\n{fence(added, 'diff')}")
    only = f"hunkwise baseline report.json --only {finding.fingerprint}"
    parts.append(f"which {code_span(only)} writes from the JSON report of the review.")
    if not why:
        parts.append("`/ignore REASON` puts a reason in.")
    return "\n\n".join(parts)


def _silenced_code(finding: Finding, why: str) -> str:
    """Write the code of a remark with the comment; "" where it is not known as it stands, or takes none."""
    comment, code = silencing(finding, why), "\n".join(finding.code)
    whole = len(finding.code) == finding.end_line - finding.start_line + 1 and visible(code) == code
    if not comment or not whole or finding.code[0].rstrip().endswith(("\\", '"""', "'''", "`")):
        return ""
    return "\n".join([f"{finding.code[0].rstrip()}  {comment}", *finding.code[1:]])
