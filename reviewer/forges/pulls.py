"""What GitHub and Gitea, which took over its form, say of a pull request alike."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hunkwise.reviewer.forges.attended import Stage, Standing

CHECK = "hunkwise"  # the name of our check runs and commit statuses
MADE_BY = (
    "hunkwise-bot"  # the external_id of the bot's runs begins so, and ends with the pull request's number
)
WRITERS = frozenset({"OWNER", "MEMBER", "COLLABORATOR"})  # associations of authors who may write, on GitHub
_STATES = {Stage.QUEUED: "pending", Stage.RUNNING: "pending", Stage.FAILED: "error"}


def login(item: Mapping[str, Any]) -> str:
    """Who wrote it; "" for an account that is gone."""
    return str((item.get("user") or {}).get("login", ""))


def standing_of(pull: Mapping[str, Any]) -> Standing:
    """Read how a pull request stands."""
    repo = pull["base"]["repo"]
    return Standing(
        project=str(repo["full_name"]),
        head=str(pull["head"]["sha"]),
        target=str(pull["base"]["sha"]),
        open=pull["state"] == "open",
        draft=bool(pull.get("draft")),
        archived=bool(repo["archived"]),
        labels=frozenset(str(label["name"]) for label in pull["labels"] or ()),
    )


def status_state(stage: Stage) -> str:
    """Say it as the state of a commit status; what was left is no failure."""
    return _STATES.get(stage, "success")
