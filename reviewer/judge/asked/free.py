"""The witness "asked": a free review of a hunk by a model that can, each of its claims checked in three ways.

The model thinks first, then lists claims in a fixed form; several samples are merged. A claim is said if more than
one sample makes it, if the model holds it for truer than its opposite in both orders, and if it does not find its
own fix far less likely than what is there. What an engine can't do of this is left out, and the remark says so.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from hunkwise.engine import Bundle, Capability, Engine, Generate, Generated, Sampling, Scored, Segment
from hunkwise.reviewer.config.settings import JudgeSettings
from hunkwise.reviewer.findings import suggestion
from hunkwise.reviewer.judge import prompt
from hunkwise.reviewer.judge.asked.claims import (
    MAX_CLAIM,
    MAX_WHEN,
    MOST,
    Claim,
    Supported,
    merged,
    read_claims,
    schema,
)
from hunkwise.reviewer.judge.asked.questions import Due, ask
from hunkwise.reviewer.judge.wording import sentences
from hunkwise.reviewer.judge.wording.facts import Facts
from hunkwise.reviewer.judge.wording.remark import UNTRUE, UNUSABLE, known_of, name_of, text_of
from hunkwise.reviewer.text.redaction import REDACTED, redact
from hunkwise.reviewer.types import Category, Change, Finding, HunkContext, Rejected, Suggestion, Witness

NAME = "asked"
THOUGHT, ANSWER = 320, 700  # tokens at most
WARM = Sampling(temperature=0.7, top_p=0.9)
SAMPLES = {"quick": 1, "normal": 3, "deep": 5}  # by --effort; quick does not think first either
FAR = 1.0  # nats a token by which a fix may be less likely than what is there
OPPOSITE = "Line {line} is right as it stands: this does not happen."
UNLIKELY = "the model finds its own fix far less likely than what is there"


@dataclass(frozen=True, slots=True)
class Asking:
    """What a free review needs beside the hunk: how, with what the project says, and how sure its remarks are.

    `share` is the measured share of such remarks that are right, None where nobody measured it.
    """

    engine: Engine
    settings: JudgeSettings
    change: Change
    categories: tuple[Category, ...]
    guidelines: str = ""
    rules: tuple[str, ...] = ()
    share: float | None = None

    def can(self, *wanted: Capability) -> bool:
        """Tell whether the engine has all of these capabilities."""
        return not self.engine.card().lacks(*wanted)


@dataclass(frozen=True, slots=True)
class Checked:
    """A claim that was checked: how likely it is true, and what was looked at; `against` says why not."""

    supported: Supported
    truth: float
    says: str
    against: str = ""


def review_freely(
    context: HunkContext, shown: prompt.View, asking: Asking
) -> tuple[tuple[Finding, ...], tuple[Rejected, ...]]:
    """Have a hunk reviewed freely: what is said of its added lines, and what is not, with the reason."""
    lines = tuple(line.new_no for line in context.hunk.added if line.new_no is not None)
    if not lines:
        return (), ()
    samples = _samples(context, shown, lines, asking)
    said: list[Finding] = []
    unsaid: list[Rejected] = []
    for one in merged(samples):
        checked = _checked(context, shown, one, len(samples), asking)
        found = _finding(context, checked, asking)
        worded = found if checked.against else _worded(context, found, one.claim, asking)
        if checked.against or worded is None:
            unsaid.append(Rejected(found, checked.against or UNUSABLE))
        else:
            said.append(worded)
    return tuple(said), tuple(unsaid)


def _samples(
    context: HunkContext, shown: prompt.View, lines: tuple[int, ...], asking: Asking
) -> list[tuple[Claim, ...]]:
    """Ask for the claims, the first time for the likeliest answer, then by chance with a seed for each."""
    count = SAMPLES[asking.settings.effort]
    drawn = [Sampling() if seed == 0 else replace(WARM, seed=seed) for seed in range(count)]
    thoughts = _thoughts(shown, drawn, asking) if asking.settings.effort != "quick" else [""] * count
    text = prompt.claiming(MOST, asking.settings.language, asking.rules)
    form = (
        schema(lines, prompt.quotable(context), asking.categories) if asking.can(Capability.SCHEMA) else None
    )
    questions = tuple(
        Generate(f"claims {number}", (*_thought(thought), Segment(text)), ANSWER, schema=form, sampling=how)
        for number, (thought, how) in enumerate(zip(thoughts, drawn, strict=True))
    )
    answers = asking.engine.ask(Bundle(shown, questions))
    read = (read_claims(each, lines, asking.categories) for each in answers if isinstance(each, Generated))
    return [claims for claims in read if claims is not None]


def _thoughts(shown: prompt.View, drawn: list[Sampling], asking: Asking) -> list[str]:
    questions = tuple(
        Generate(f"thought {number}", (Segment(prompt.thinking()),), THOUGHT, sampling=how)
        for number, how in enumerate(drawn)
    )
    answers = asking.engine.ask(Bundle(shown, questions))
    return [answer.text.strip() for answer in answers if isinstance(answer, Generated)]


def _thought(text: str) -> tuple[Segment, ...]:
    return (Segment(prompt.thinking()), Segment(text, "assistant")) if text else ()


def _checked(
    context: HunkContext, shown: prompt.View, one: Supported, samples: int, asking: Asking
) -> Checked:
    """Check a claim: by the samples, by a contrast in both orders, by the likelihood of its fix."""
    claim = one.claim
    made = f"in {one.samples} of {samples} samples"
    if samples > 2 and one.samples < 2:
        return Checked(one, 0.0, made, f"the model says it {made} alone")
    if not asking.can(Capability.CHOOSE):
        return Checked(one, one.samples / samples, f"{made}; not verified, as the engine can't choose")
    opposite = OPPOSITE.format(line=claim.line)
    due = Due("claim", claim.line, text_of(context, claim.line).strip(), (claim.claim, opposite))
    (heard,) = ask(shown, [due], asking.engine)
    says = f"{made}; held for true at {heard.probability:.0%}"
    if not heard.wrong:
        return Checked(one, heard.probability, says, UNTRUE)
    if not asking.can(Capability.SCORE):
        return Checked(
            one, heard.probability, f"{says}; its fix is not weighed, as the engine can't score texts"
        )
    if claim.fix and _far(context, claim, asking.engine):
        return Checked(one, heard.probability, says, UNLIKELY)
    return Checked(one, heard.probability, says)


def _far(context: HunkContext, claim: Claim, engine: Engine) -> bool:
    """Tell whether a fix is far less likely than the line that it replaces, by token."""
    now = text_of(context, claim.line)
    fix = indented(claim.fix, now)
    if fix == now:
        return True  # a fix that changes nothing
    before = [text for _, text in context.before]
    before += [
        line.text for line in context.hunk.lines if line.new_no is not None and line.new_no < claim.line
    ]
    text = "".join(f"{line}\n" for line in before) or "\n"
    present, mended = engine.ask(prompt.likelihoods(text, f"{now}\n", f"{fix}\n"))
    assert isinstance(present, Scored)
    assert isinstance(mended, Scored)
    return _mean(mended) < _mean(present) - FAR


def _mean(scored: Scored) -> float:
    return scored.logprob / max(len(scored.tokens), 1)


def indented(fix: str, line: str) -> str:
    """Give a fix the indentation of the line that it replaces, where the model left it away."""
    margin = line[: len(line) - len(line.lstrip())]
    return fix if fix[:1].isspace() or not fix.strip() else margin + fix


def _finding(context: HunkContext, checked: Checked, asking: Asking) -> Finding:
    """Make a remark of a claim, in the model's own words."""
    claim = checked.supported.claim
    return Finding(
        path=context.file.path,
        part=context.file.part,
        start_line=claim.line,
        end_line=claim.line,
        severity=claim.severity,
        category=claim.category,
        title=redact(claim.claim.rstrip(".")),
        message=redact(claim.when),
        confidence=round(checked.truth if asking.share is None else asking.share, 4),
        calibrated=asking.share is not None,
        fingerprint=name_of(context, claim.line),
        code=(text_of(context, claim.line),),
        witnesses=(Witness(NAME, checked.says),),
    )


def _worded(context: HunkContext, found: Finding, claim: Claim, asking: Asking) -> Finding | None:
    """Leave out of the words what says nothing or contradicts the change; None where no claim is left."""
    code = text_of(context, claim.line)
    told = sentences.Prompted(
        prompt.role(),
        prompt.claiming(MOST, asking.settings.language),
        " ".join((asking.guidelines, *asking.rules)),
    )
    facts = Facts(*known_of(context, claim.line))

    def kept(text: str, limit: int) -> str:
        sound = sentences.sound(text, told, code, limit)
        if asking.settings.language != "English":
            return sound
        return "".join(filter(facts.agrees, sentences.sentences(sound))).strip()

    title = kept(claim.claim, MAX_CLAIM)
    if not title:
        return None
    message = kept(claim.when, MAX_WHEN) or title
    return replace(
        found,
        title=redact(title.rstrip(".")),
        message=redact(message),
        suggestion=_suggested(context, claim, asking),
    )


def _suggested(context: HunkContext, claim: Claim, asking: Asking) -> Suggestion | None:
    """Offer the fix, if it applies and parses."""
    if not claim.fix.strip() or "\n" in claim.fix or REDACTED in claim.fix:
        return None
    fix = indented(claim.fix, text_of(context, claim.line))
    text = asking.change.text(context.file)
    return suggestion.offer(context.file, context.hunk, text, claim.line, claim.line, fix)
