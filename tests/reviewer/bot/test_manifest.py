"""The manifest of the GitHub App asks for what the bot uses, in the fields that GitHub documents."""

from __future__ import annotations

import json
from pathlib import Path

from hunkwise.reviewer.bot import access

MANIFEST = Path(__file__).resolve().parents[3] / "deploy" / "github-app.json"
# https://docs.github.com/en/apps/sharing-github-apps/registering-a-github-app-from-a-manifest
FIELDS = {
    "name", "url", "hook_attributes", "redirect_url", "callback_urls", "setup_url", "description", "public",
    "default_events", "default_permissions", "request_oauth_on_install", "setup_on_update",
}  # fmt: skip
LEVELS = ["read", "write"]


def test_the_manifest_asks_for_what_is_used() -> None:
    manifest = json.loads(MANIFEST.read_text())
    granted = manifest["default_permissions"]

    assert set(manifest) <= FIELDS
    assert set(manifest["hook_attributes"]) <= {"url", "active"}
    assert manifest["hook_attributes"]["url"].endswith("/hooks/github")
    for wanted in (access._READ, access._POST):
        assert all(LEVELS.index(level) <= LEVELS.index(granted[name]) for name, level in wanted.items())
    read = {"check_run", "issue_comment", "pull_request", "pull_request_review_comment"}
    assert set(manifest["default_events"]) == read
