"""Secrets of a change, from the diff to every place that something of it is written to."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from fakes.clients import post
from fakes.models import disliking
from fakes.reviews import HEAD

from hunkwise.engine import ScriptedEngine
from hunkwise.reviewer.config.settings import Config
from hunkwise.reviewer.diff.parse import parse_diff
from hunkwise.reviewer.judge.pipeline import review
from hunkwise.reviewer.report import FORMATS, View, renderer
from hunkwise.reviewer.types import Severity

# Spelt in two halves so that no scanner of secrets takes this file for a leak.
ADDED = "ghp_" + "a1B2" * 9
REMOVED = "glpat-" + "z9y8x7w6v5u4t3s2r1q0"
NEAR = "AKIA" + "IOSFODNN7EXAMPLE"
HEADING = "npm_" + "h5" * 18
AROUND = "hf_" + "abcdefghij" * 3 + "abcd"
BODY = "MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQC7VJTUt9Us8cKj"
SECRETS = (ADDED, REMOVED, NEAR, HEADING, AROUND, BODY)

PATCH = f"""\
diff --git a/keys.py b/keys.py
--- a/keys.py
+++ b/keys.py
@@ -4,4 +4,6 @@ def login(token="{HEADING}"):
     key = "{NEAR}"
-    send(key, "{REMOVED}")
+    send(key, "{ADDED}", -1)
+    pem = '''-----BEGIN PRIVATE {"KEY-----"}
+{BODY}
     return key

"""
TEXT = f"""\
import os
OTHER = "{AROUND}"

    key = "{NEAR}"
    send(key, "{ADDED}", -1)
    pem = '''-----BEGIN PRIVATE {"KEY-----"}
{BODY}
    return key

"""


def leaks(text: object) -> list[str]:
    """Name the secrets that a text holds."""
    shown = text if isinstance(text, str) else repr(text)
    return [secret for secret in SECRETS if secret in shown]


@pytest.mark.parametrize("name", ["github", "gitlab"])
def test_no_secret_of_a_change_is_written_anywhere(name: str, request: pytest.FixtureRequest) -> None:
    """Not into a prompt (and so no answer or cache), a report of any format, or a comment; yet found."""
    start: Callable[..., Any] = request.getfixturevalue(name)
    model = ScriptedEngine(disliking())
    change = replace(parse_diff(PATCH.encode()), head=HEAD, new_texts={"keys.py": TEXT})
    config = Config(min_severity=Severity.INFO, max_comments=30)
    made = review(change, config, model)

    titles = " ".join(found.title for found in made.findings)
    assert "GitHub token" in titles
    assert "private key" in titles
    assert model.bundles
    assert leaks(model.bundles) == []
    assert leaks(made) == []
    for form in FORMATS.rows:
        assert leaks(renderer(form)(made, View(change=change))) == [], form
    forge = start(patch=PATCH, check=False)
    post(made, forge)
    sent = [one.body for one in forge.requests if one.method != "GET"]
    assert sent
    assert leaks(sent) == []
