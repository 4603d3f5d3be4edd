"""Every rule holds on its own examples: they are its tests."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from hunkwise.reviewer.checks.examples import faults
from hunkwise.reviewer.checks.match import hits
from hunkwise.reviewer.checks.pack import all_rules, rules_for
from hunkwise.reviewer.checks.rule import Rule


@pytest.mark.parametrize("rule", all_rules(), ids=lambda rule: rule.id)
def test_a_rule_holds_on_its_examples(rule: Rule) -> None:
    """`bad` is remarked on where it says so, `good` is not, and a fix silences the rule."""
    assert faults(rule) == []
    assert len(rule.bad) >= 2
    assert len(rule.good) >= 2


def test_a_rule_is_heard_among_all_others() -> None:
    """A constraint of one rule does not hide what another says of the same node."""
    text = "from paramiko import AutoAddPolicy\ndef f(a):\n    a.set_missing_host_key_policy(AutoAddPolicy)\n"

    assert [hit.rule for hit in hits(rules_for("python"), "python", text)] == [
        "python-ssh-host-key-unchecked"
    ]


def test_the_packs_say_what_the_rules_say() -> None:
    """What the program reads was written from the files that people read."""
    root = Path(__file__).resolve().parents[3]
    done = subprocess.run(
        [sys.executable, root / "scripts/packs.py", "--check"], capture_output=True, text=True, check=False
    )

    assert done.returncode == 0, done.stdout
