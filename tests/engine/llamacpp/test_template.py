"""A model's chat template is a stranger's program."""

from __future__ import annotations

import pytest

from hunkwise.engine.errors import CorruptModel
from hunkwise.engine.llamacpp.template import render

MESSAGES = [{"role": "system", "content": "S"}, {"role": "user", "content": "U"}]


def test_a_template_sees_messages_and_opens_the_answer() -> None:
    """Messages, the BOS text and add_generation_prompt reach the template."""
    template = (
        "{{ bos_token }}{% for m in messages %}[{{ m.role }}]{{ m['content'] }}\n{% endfor %}"
        "{% if add_generation_prompt %}[assistant]{% endif %}"
    )

    assert render(template, [MESSAGES], bos="<s>", eos="</s>") == "<s>[system]S\n[user]U\n[assistant]"


@pytest.mark.parametrize(
    ("form", "day"), [("%d %b %Y", "01 Jan 2025"), ("%Y-%m-%d", "2025-01-01"), ("%A", "Wednesday")]
)
def test_the_clock_stands(form: str, day: str) -> None:
    """A template that asks for today's date is told one fixed day, so prompts never change by the day."""
    assert render(f"{{{{ strftime_now('{form}') }}}}", [MESSAGES], bos="", eos="") == day


@pytest.mark.parametrize(
    ("template", "complaint"),
    [
        ("{{ 'A' * 10**10 }}", "memory"),
        ("{% for i in range(90000) %}{{ 'A' * 1000 }}{% endfor %}", "grows beyond"),
        ("{% macro f() %}{{ f() }}{% endmacro %}{{ f() }}", "memory"),
        ("{{ ''.__class__.__mro__[1].__subclasses__() }}", "unsafe"),
        ("{% include '/etc/passwd' %}", "no loader"),
        ("{{ raise_exception('only user messages') }}", "only user messages"),
        ("{% if %}", "Expected an expression"),
        ("{{ nothing.at.all }}", "undefined"),
        ("{{ 1 / 0 }}", "division"),
    ],
)
def test_a_hostile_template_is_an_error_that_names_the_template(template: str, complaint: str) -> None:
    """Neither memory, nor Python's internals, nor files are within a template's reach."""
    with pytest.raises(CorruptModel, match=complaint) as caught:
        render(template, [MESSAGES], bos="", eos="")

    assert "chat template" in str(caught.value)


def test_an_endless_template_is_stopped() -> None:
    """Nested loops that print nothing end at the watchdog."""
    loop = "{% for i in range(90000) %}" * 4 + "{% endfor %}" * 4

    with pytest.raises(CorruptModel, match="did not finish"):
        render(loop, [MESSAGES], bos="", eos="", seconds=1)
