"""No invalid JSON ever: dozens of schemas under prompts that ask for anything else, with the real small model."""

from __future__ import annotations

import json
import re
from decimal import Decimal
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from hunkwise.engine import Bundle, Generate, Generated, Segment
from hunkwise.engine.llamacpp.runner import LocalEngine

pytestmark = pytest.mark.model

CASES = Path(__file__).parents[2] / "cases" / "schemas"
KINDS: dict[str, dict[str, Any]] = json.loads((CASES / "schemas.json").read_text("utf-8"))
SCHEMAS: dict[str, Any] = {**KINDS["bounded"], **KINDS["unbounded"]}
HOSTILE: list[str] = json.loads((CASES / "prompts.json").read_text("utf-8"))
SYSTEM = Segment("You answer questions.", "system")
ENOUGH, SOME, SCARCE = 100, 24, (1, 2, 3, 5)  # tokens
FORMATS = jsonschema.FormatChecker(["uuid", "ipv4", "ipv6", "email"])
FORMATS.checks("date")(lambda text: bool(re.fullmatch(r"\d{4}-\d\d-\d\d", text)))  # Python has no year 0000


def refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is no JSON")


def valid(text: str, schema: dict[str, Any]) -> bool:
    """True if a text is JSON as RFC 8259 has it, and what the schema admits, formats included."""
    try:
        # as decimals: as a float -1.0000000000000001 is -1, which "exclusiveMaximum" may forbid
        value = json.loads(text, parse_float=Decimal, parse_constant=refuse_constant)
        jsonschema.validate(value, schema, jsonschema.Draft202012Validator, format_checker=FORMATS)
    except (ValueError, jsonschema.ValidationError):
        return False
    return True


@pytest.fixture(scope="module")
def answers(engine: LocalEngine) -> dict[str, tuple[Generated, Generated]]:
    """For each schema the answer with room enough (or some, where there is never enough), and with too little.

    The prompts take turns; the schemas of one are asked side by side.
    """
    found: dict[str, tuple[Generated, Generated]] = {}
    names = list(SCHEMAS)
    for turn, prompt in enumerate(HOSTILE):
        mine = names[turn :: len(HOSTILE)]
        questions = []
        for at, name in enumerate(mine):
            room = ENOUGH if name in KINDS["bounded"] else SOME
            limits = room, SCARCE[at % len(SCARCE)]
            questions += [Generate(f"{name}, {most}", (), most, schema=SCHEMAS[name]) for most in limits]
        answered = engine.ask(Bundle((SYSTEM, Segment(prompt)), tuple(questions)))
        given = [answer for answer in answered if isinstance(answer, Generated)]
        found.update(zip(mine, zip(given[::2], given[1::2], strict=True), strict=True))
    return found


def test_dozens() -> None:
    """There are as many cases as this property's name says, and each is a schema."""
    assert len(SCHEMAS) >= 36
    assert len(HOSTILE) >= 12
    for schema in SCHEMAS.values():
        jsonschema.Draft202012Validator.check_schema(schema)


@pytest.mark.parametrize("name", KINDS["bounded"])
def test_valid_whatever_the_prompt(answers: dict[str, tuple[Generated, Generated]], name: str) -> None:
    """Where the schema bounds the answer, and there is room for it, it is complete, valid, and said to be so."""
    answer, _ = answers[name]
    assert answer.finish == "schema", answer
    assert valid(answer.text, SCHEMAS[name]), answer


@pytest.mark.parametrize("name", SCHEMAS)
def test_what_is_cut_says_so(answers: dict[str, tuple[Generated, Generated]], name: str) -> None:
    """What is called complete is valid; all else is called cut."""
    for answer in answers[name]:
        assert answer.finish in ("schema", "length")
        assert answer.finish == "length" or valid(answer.text, SCHEMAS[name]), answer


def test_both_happen(answers: dict[str, tuple[Generated, Generated]]) -> None:
    """Of the answers with too little room most are cut and some are complete; much was forced."""
    finishes = [short.finish for _, short in answers.values()]
    assert finishes.count("length") > 20
    assert finishes.count("schema") > 5
    assert sum(answer.usage.forced for answer, _ in answers.values()) > 100
