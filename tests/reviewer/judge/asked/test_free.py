"""The free review: what is claimed, what of it is checked, and what an engine that can do less leaves out."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hunkwise.engine import (
    Answer,
    Around,
    Bundle,
    Capability,
    Choice,
    Choose,
    EngineCard,
    Generate,
    Generated,
    Question,
    Score,
    Scored,
    ScriptedEngine,
    TokenScore,
)
from hunkwise.engine.testing import ABLE
from hunkwise.reviewer.config.settings import Config
from hunkwise.reviewer.diff.parse import parse_diff
from hunkwise.reviewer.judge.asked.claims import Claim, merged, read_claims, schema
from hunkwise.reviewer.judge.asked.competence import Remarks
from hunkwise.reviewer.judge.asked.panel import panel_of
from hunkwise.reviewer.judge.pipeline import review
from hunkwise.reviewer.report import View, renderer
from hunkwise.reviewer.types import Category, Review, Severity

LINES = ["def mean(values):", "    total = sum(values)", "    return total / len(values)"]
NEW = f"--- /dev/null\n+++ b/stats.py\n@@ -0,0 +1,3 @@\n{''.join(f'+{line}{chr(10)}' for line in LINES)}".encode()
ON = Config(asked="on")
CLAIM: dict[str, Any] = {
    "line": 3,
    "dimension": "correctness",
    "claim": "An empty list divides by zero.",
    "when": "With `values` empty, a ZeroDivisionError is raised.",
    "severity": "high",
    "fix": "return total / len(values) if values else 0.0",
}
Script = Callable[[Bundle, Question], Answer | None]


def asked(*samples: list[dict[str, Any]], true: float = 2.0, fix: float = -0.5, wrap: str = "{}") -> Script:
    """An engine that makes these claims, sample by sample, and gives them and their fix such worth."""

    def script(bundle: Bundle, question: Question) -> Answer | None:
        match question:
            case Generate(id=name) if name.startswith("thought"):
                return Generated(name, "Line 3 divides.", "stop")
            case Generate(id=name):
                claims = samples[int(name.split()[-1]) % len(samples)]
                return Generated(name, wrap.replace("{}", json.dumps({"defects": claims})), "schema")
            case Choose(id=name):
                odds = true if name.endswith("wrong first") else -true
                return Choice(name, (0.5, 0.5), (odds, 0.0))
            case Score(id=name, text=text):
                logprob = fix if name == "old" else -0.5
                return Scored(name, (TokenScore(text, 0, len(text.encode()), logprob, -0.1),))
        return None

    return script


def _reviewed(engine: ScriptedEngine, config: Config = ON) -> Review:
    return review(replace(parse_diff(NEW), new_texts={"stats.py": "\n".join(LINES) + "\n"}), config, engine)


def test_new_code_is_read_and_what_is_claimed_is_said() -> None:
    """The remark has the model's words, its fix, and what was looked at; the lines count as reviewed."""
    made = _reviewed(ScriptedEngine(asked([CLAIM])))

    (found,) = made.findings
    assert (found.start_line, found.title) == (3, "An empty list divides by zero")
    assert found.witnesses[0].name == "asked"
    assert "in 3 of 3 samples" in found.witnesses[0].says
    assert found.suggestion is not None
    assert found.suggestion.replacement == "    return total / len(values) if values else 0.0"
    assert "not measured" in renderer("text")(made, View())
    assert (made.coverage.lines, made.coverage.lines_reviewed, made.complete) == (3, 3, True)
    assert not [skip for skip in made.skipped if "new code" in skip.reason]
    assert made.manifest.settings["asked"] == "asked"


def test_a_remark_that_nobody_measured_is_not_held_to_the_bar() -> None:
    """Its number is no probability, so it is not compared with one."""
    (found,) = _reviewed(ScriptedEngine(asked([CLAIM], true=0.1)), replace(ON, min_confidence=0.99)).findings

    assert found.confidence < 0.6
    assert found.unmeasured


@pytest.mark.parametrize(
    ("script", "reason"),
    [
        (asked([CLAIM], [], []), "in 1 of 3 samples alone"),
        (asked([CLAIM], true=-1.0), "does not stand by its own remark"),
        (asked([CLAIM], fix=-9.0), "its own fix far less likely"),
        (asked([CLAIM | {"fix": LINES[2].strip()}]), "its own fix far less likely"),
    ],
)
def test_a_claim_is_checked_in_three_ways(script: Script, reason: str) -> None:
    """What one sample alone says, what the model finds false, and what its own fix speaks against is not said."""
    made = _reviewed(ScriptedEngine(script))

    assert made.findings == ()
    assert reason in made.rejected[0].reason


@pytest.mark.parametrize(
    ("missing", "says"), [(Capability.SCORE, "can't score"), (Capability.CHOOSE, "can't choose")]
)
def test_what_an_engine_cannot_do_is_left_out_and_said(missing: Capability, says: str) -> None:
    """A server that can't score still reviews; the remark says which part is left out, the review is complete."""
    able = tuple(each for each in ABLE if each is not missing)
    made = _reviewed(ScriptedEngine(asked([CLAIM]), capabilities=able))

    assert says in made.findings[0].witnesses[0].says
    assert made.complete


def test_a_change_is_reviewed_by_an_engine_that_cannot_score() -> None:
    """Where likelihood is skipped and the model reads freely instead, nothing is missed."""
    diff = b"--- a/a.py\n+++ b/a.py\n@@ -1,2 +1,2 @@\n def f(x):\n-    return x + 1\n+    return x - 1\n"
    able = tuple(each for each in ABLE if each is not Capability.SCORE)
    engine = ScriptedEngine(asked([CLAIM | {"line": 2, "fix": ""}]), capabilities=able)
    made = review(parse_diff(diff), ON, engine)

    assert [found.start_line for found in made.findings] == [2]
    assert made.complete
    assert made.coverage.hunks_reviewed == 1


def test_an_engine_without_schema_may_talk_around_its_json() -> None:
    """Without a grammar the answer is looked for among the words."""
    able = tuple(each for each in ABLE if each is not Capability.SCHEMA)
    engine = ScriptedEngine(asked([CLAIM], wrap="Sure:\n```json\n{}\n```\nDone."), capabilities=able)

    assert len(_reviewed(engine).findings) == 1
    assert all(q.schema is None for b in engine.bundles for q in b.questions if isinstance(q, Generate))


def test_samples_are_drawn_by_seed_and_the_model_thinks_first() -> None:
    """The first sample is the likeliest, the others have a seed each, so a review can be repeated."""
    engine = ScriptedEngine(asked([CLAIM]))
    _reviewed(engine)
    made = [q for bundle in engine.bundles for q in bundle.questions if isinstance(q, Generate)]

    assert [q.id for q in made] == [f"{kind} {n}" for kind in ("thought", "claims") for n in range(3)]
    assert [(q.sampling.greedy, q.sampling.seed) for q in made[3:]] == [(True, None), (False, 1), (False, 2)]
    assert made[3].prompt[1].role == "assistant"


def test_quick_asks_once() -> None:
    """With --effort quick there is one sample and no thinking."""
    engine = ScriptedEngine(asked([CLAIM]))
    made = _reviewed(engine, replace(ON, effort="quick"))

    assert len(made.findings) == 1
    assert [q.id for q in engine.bundles[0].questions] == ["claims 0"]


class _Sized(Around):
    """An engine of a model with so many parameters."""

    def __init__(self, inner: ScriptedEngine, parameters: int) -> None:
        super().__init__(inner)
        self._parameters = parameters

    def card(self) -> EngineCard:
        return replace(self.inner.card(), parameters=self._parameters)


@pytest.mark.parametrize(
    ("parameters", "setting", "free"),
    [
        (7_600_000_000, "auto", True),
        (7_600_000_000, "off", False),
        (3_100_000_000, "auto", False),
        (0, "auto", False),
        (0, "on", True),
    ],
)
def test_who_is_asked(parameters: int, setting: Any, free: bool) -> None:
    """From 7B on a model is asked; a smaller one if the setting says so."""
    engine = _Sized(ScriptedEngine(asked([CLAIM])), parameters)

    assert panel_of(engine.card(), Config(asked=setting)).free is free
    assert bool(review(parse_diff(NEW), Config(asked=setting), engine).findings) is free


def test_what_was_measured_goes_before_the_size(monkeypatch: pytest.MonkeyPatch) -> None:
    """A large model that was measured as unfit is not asked; a small one that is fit is, and says its share."""
    from hunkwise.reviewer.judge.asked import competence, panel

    def known(free: Remarks) -> Callable[..., competence.Competence]:
        return lambda digest, file: competence.Competence("m", free=free)

    large, small = (_Sized(ScriptedEngine(asked([CLAIM])), size) for size in (30_000_000_000, 1))
    monkeypatch.setattr(panel, "competence_of", known(Remarks(40, 4)))
    assert not panel_of(large.card(), Config()).free
    monkeypatch.setattr(panel, "competence_of", known(Remarks(40, 32)))
    (found,) = review(parse_diff(NEW), Config(), small).findings
    assert (found.confidence, found.calibrated, found.unmeasured) == (0.8, True, False)


def test_words_that_turn_the_change_round_are_left_out() -> None:
    """Of what came in it can't be said that it is missing."""
    diff = (
        b"--- a/a.py\n+++ b/a.py\n@@ -1,2 +1,2 @@\n def f(x):\n-    return plain(x)\n+    return escaped(x)\n"
    )
    wrong = CLAIM | {"line": 2, "claim": "`escaped` is missing here.", "fix": ""}
    made = review(parse_diff(diff), ON, ScriptedEngine(asked([wrong])))

    assert [found for found in made.findings if found.witnesses[0].name == "asked"] == []


def test_a_claim_that_was_broken_off_is_not_said() -> None:
    """What fills its room without an end says nothing; a second part that was cut is left away."""
    long = "The total is wrong for " + "many " * 30
    cut = _reviewed(ScriptedEngine(asked([CLAIM | {"claim": long}])))
    half = _reviewed(ScriptedEngine(asked([CLAIM | {"when": f"It raises. {long * 2}"}])))

    assert cut.findings == ()
    assert "cut off or unusable" in cut.rejected[0].reason
    assert half.findings[0].message == "It raises."


def test_samples_about_one_place_are_one_claim() -> None:
    """Two lines beside each other are one place; what most samples say comes first."""
    claims = [Claim(line, Category.SECURITY, "c", "w", Severity.LOW, "") for line in (9, 3, 4)]
    found = merged([[claims[0], claims[1]], [claims[2]], [claims[1], claims[1]]])

    assert [(each.claim.line, each.samples) for each in found] == [(3, 3), (9, 1)]


def test_a_form_names_only_lines_that_can_be_remarked_on() -> None:
    """The schema of an answer admits the added lines and the categories that are looked for."""
    item = schema([3, 4], ["values"], [Category.SECURITY])["properties"]["defects"]["items"]

    assert item["properties"]["line"] == {"enum": [3, 4]}
    assert item["properties"]["dimension"] == {"enum": ["security"]}


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from([*CLAIM, "x"]), inner, max_size=7)
    ),
    max_leaves=12,
)


@given(st.lists(_JSON | st.fixed_dictionaries(dict.fromkeys(CLAIM, _JSON)), max_size=5) | _JSON)
def test_whatever_comes_is_read_or_passed_over(defects: object) -> None:
    """No answer of a model or a server makes a review fail, and no claim is off its lines."""
    for text in (json.dumps({"defects": defects}), json.dumps(defects), "no JSON {", "}{"):
        read = read_claims(Generated("claims", text, "stop"), [3], list(Category))
        assert all(claim.line == 3 and claim.claim for claim in read or ())


def test_one_good_claim_among_bad_ones_is_kept() -> None:
    """A claim on a line that is not there is passed over by itself."""
    rows: list[Mapping[str, Any]] = [CLAIM | {"line": 99}, CLAIM, {}]
    read = read_claims(Generated("claims", json.dumps({"defects": rows}), "stop"), [3], list(Category))

    assert read is not None
    assert [claim.line for claim in read] == [3]
