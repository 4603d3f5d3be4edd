"""JSON read as frozen values: strictly, as our own files are, and leniently, as the bodies of requests are."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest

from hunkwise.reviewer.text.checked_json import Form, FormError, read, read_as

LENIENT = Form(lenient=True, longest_text=20)


@dataclass(frozen=True)
class Part:
    text: str = ""


@dataclass(frozen=True)
class Body:
    model: str
    content: str | tuple[Part, ...] | None = None
    stop: str | tuple[str, ...] = ()
    format: str | Mapping[str, Any] = ""
    most: int | None = None
    options: Mapping[str, Any] = field(default_factory=dict)


def test_strict_wants_all_keys_and_no_others() -> None:
    with pytest.raises(FormError, match="the part: missing key 'text'"):
        read(Part, {}, "the part")
    with pytest.raises(FormError, match="the part: unknown key 'more'"):
        read(Part, {"text": "a", "more": 1}, "the part")


def test_partial_fills_in_what_is_absent_alone() -> None:
    partial = Form(partial=True)
    assert read_as(partial, Body, {"model": "m"}) == Body("m")
    for wrong, message in (
        ({}, "missing key 'model'"),
        ({"model": "m", "more": 1}, "unknown key 'more'"),
        ({"model": "m", "stop": None}, "stop must be str, not NoneType"),
    ):
        with pytest.raises(FormError, match=f"^{message}$"):
            read_as(partial, Body, wrong)


def test_lenient_fills_in_and_passes_over() -> None:
    assert read_as(LENIENT, Body, {"model": "m", "stop": None, "more": 1}) == Body("m")


def test_a_union_takes_the_member_of_the_values_kind() -> None:
    body = {"model": "m", "content": [{"text": "a"}], "stop": ["x"], "format": {"type": "object"}}
    assert read_as(LENIENT, Body, body) == Body("m", (Part("a"),), ("x",), {"type": "object"})
    assert read_as(LENIENT, Body, {"model": "m", "content": "a", "stop": "x"}) == Body("m", "a", "x")


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ([], "the body must be an object"),
        ({}, "missing key 'model'"),
        ({"model": None}, "model must be str, not NoneType"),
        ({"model": "m", "content": 1}, "content must be str, not int"),
        ({"model": "m", "content": [{"text": 1}]}, r"content\[0\].text must be str, not int"),
        ({"model": "m" * 21}, "model is longer than 20 characters"),
        ({"model": "m", "most": True}, "most must be int, not bool"),
        ({"model": "m", "options": []}, "options must be an object"),
    ],
)
def test_the_place_of_a_mistake_is_told(body: object, message: str) -> None:
    with pytest.raises(FormError, match=f"^{message}$"):
        read_as(LENIENT, Body, body)
