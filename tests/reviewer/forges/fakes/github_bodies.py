"""Answers of GitHub's API with every field its description requires."""

from __future__ import annotations

from typing import Any


def words(text: str) -> list[str]:
    return text.split()


TIME = "2026-11-22T12:00:00Z"

USER_LINKS = [
    "avatar",
    "events",
    "followers",
    "following",
    "gists",
    "html",
    "organizations",
    "received_events",
    "repos",
    "starred",
    "subscriptions",
]
REPOSITORY_LINKS = [
    "archive",
    "assignees",
    "blobs",
    "branches",
    "collaborators",
    "comments",
    "commits",
    "compare",
    "contents",
    "contributors",
    "deployments",
    "downloads",
    "events",
    "forks",
    "git_commits",
    "git_refs",
    "git_tags",
    "hooks",
    "issue_comment",
    "issue_events",
    "issues",
    "keys",
    "labels",
    "languages",
    "merges",
    "milestones",
    "notifications",
    "pulls",
    "releases",
    "stargazers",
    "statuses",
    "subscribers",
    "subscription",
    "tags",
    "teams",
    "trees",
    "clone",
    "git",
    "ssh",
    "svn",
    "html",
]


def links(base: str, names: list[str]) -> dict[str, str]:
    return {f"{name}_url": f"{base}/{name}" for name in names}


def user(url: str, login: str) -> dict[str, Any]:
    me = f"{url}/users/{login.removesuffix('[bot]')}"
    number = sum(login.encode())
    kind = "Bot" if login.endswith("[bot]") else "User"
    return {
        **links(me, USER_LINKS),
        "login": login,
        "id": number,
        "node_id": f"U_{number}",
        "gravatar_id": "",
        "url": me,
        "type": kind,
        "site_admin": False,
    }


def own_user(url: str, login: str) -> dict[str, Any]:
    empty = dict.fromkeys(("bio", "blog", "company", "email", "location", "name"))
    numbers = dict.fromkeys(("public_gists", "public_repos", "followers", "following"), 0)
    shown = {"hireable": None, "created_at": TIME, "updated_at": TIME, "user_view_type": "public"}
    return {**user(url, login), **empty, **numbers, **shown}


def repository(url: str, name: str) -> dict[str, Any]:
    owner, _, short = name.partition("/")
    me = f"{url}/repos/{name}"
    flags = [
        "fork",
        "private",
        "archived",
        "disabled",
        "has_downloads",
        "has_issues",
        "has_projects",
        "has_wiki",
        "has_pages",
    ]
    counts = [
        "forks",
        "forks_count",
        "open_issues",
        "open_issues_count",
        "size",
        "stargazers_count",
        "watchers",
        "watchers_count",
    ]
    return {
        **links(me, REPOSITORY_LINKS),
        **dict.fromkeys(flags, False),
        **dict.fromkeys(counts, 0),
        **dict.fromkeys(("description", "homepage", "language", "license", "mirror_url")),
        "id": 1,
        "node_id": "R_1",
        "name": short,
        "full_name": name,
        "owner": user(url, owner),
        "url": me,
        "default_branch": "main",
        "created_at": TIME,
        "updated_at": TIME,
        "pushed_at": TIME,
    }


def pull(url: str, name: str, number: int, *, base: str, head: str, title: str, files: int) -> dict[str, Any]:
    me, issue = f"{url}/repos/{name}/pulls/{number}", f"{url}/repos/{name}/issues/{number}"
    owner = name.partition("/")[0]

    def side(ref: str, sha: str) -> dict[str, Any]:
        where = {"label": f"{owner}:{ref}", "ref": ref, "sha": sha}
        return {**where, "user": user(url, owner), "repo": repository(url, name)}

    hrefs = ["comments", "commits", "statuses", "html", "issue", "review_comments", "review_comment", "self"]
    counts = ["additions", "comments", "commits", "deletions", "review_comments"]
    return {
        "_links": {key: {"href": f"{me}/{key}"} for key in hrefs},
        **dict.fromkeys(
            ["assignee", "auto_merge", "closed_at", "merge_commit_sha", "merged_at", "merged_by", "milestone"]
        ),
        **dict.fromkeys(counts, 1),
        **dict.fromkeys(("locked", "merged", "maintainer_can_modify"), False),
        **links(me, ["diff", "html", "patch", "statuses"]),
        "url": me,
        "issue_url": issue,
        "comments_url": f"{issue}/comments",
        "commits_url": f"{me}/commits",
        "review_comments_url": f"{me}/comments",
        "review_comment_url": f"{url}/repos/{name}/pulls/comments",
        "id": 7000 + number,
        "node_id": f"PR_{number}",
        "number": number,
        "state": "open",
        "title": title,
        "created_at": TIME,
        "updated_at": TIME,
        "user": user(url, "author"),
        "author_association": "NONE",
        "base": side("main", base),
        "head": side("topic", head),
        "body": None,
        "labels": [],
        "changed_files": files,
        "mergeable": True,
        "mergeable_state": "clean",
    }


def review(url: str, pull_path: str, number: int, login: str, body: str, commit: str) -> dict[str, Any]:
    html = f"{url}/html/{number}"
    return {
        "id": number,
        "node_id": f"PRR_{number}",
        "user": user(url, login),
        "body": body,
        "state": "COMMENTED",
        "commit_id": commit,
        "submitted_at": TIME,
        "html_url": html,
        "pull_request_url": f"{url}{pull_path}",
        "_links": {"html": {"href": html}, "pull_request": {"href": f"{url}{pull_path}"}},
        "author_association": "NONE",
    }


def review_comment(
    url: str, pull_path: str, number: int, login: str, given: dict[str, Any], association: str
) -> dict[str, Any]:
    repo = pull_path.rpartition("/pulls/")[0]
    me, html = f"{url}{repo}/pulls/comments/{number}", f"{url}/html/{number}"
    made = {
        "url": me,
        "id": number,
        "node_id": f"PRRC_{number}",
        "pull_request_review_id": None,
        "diff_hunk": "@@",
        "path": given["path"],
        "commit_id": given["commit_id"],
        "body": given["body"],
        "original_commit_id": given["commit_id"],
        "user": user(url, login),
        "created_at": TIME,
        "updated_at": TIME,
        "html_url": html,
        "pull_request_url": f"{url}{pull_path}",
        "author_association": association,
        "_links": {key: {"href": me} for key in ("self", "html", "pull_request")},
    }
    optional = ("line", "side", "start_line", "start_side", "subject_type", "in_reply_to_id")
    return made | {key: given[key] for key in optional if key in given}


def issue_comment(url: str, issue_path: str, number: int, login: str, body: str) -> dict[str, Any]:
    repo = issue_path.rpartition("/issues/")[0]
    return {
        "id": number,
        "node_id": f"IC_{number}",
        "url": f"{url}{repo}/issues/comments/{number}",
        "html_url": f"{url}/html/{number}",
        "issue_url": f"{url}{issue_path}",
        "body": body,
        "user": user(url, login),
        "created_at": TIME,
        "updated_at": TIME,
        "author_association": "NONE",
        "performed_via_github_app": None,
    }


def check_run(url: str, repo: str, number: int, given: dict[str, Any]) -> dict[str, Any]:
    me = f"{url}{repo}/check-runs/{number}"
    output = {"title": None, "summary": None, "text": None, "annotations_count": 0}
    return {
        "id": number,
        "node_id": f"CR_{number}",
        "url": me,
        "html_url": me,
        "details_url": me,
        "head_sha": given["head_sha"],
        "name": given["name"],
        "external_id": given["external_id"],
        "status": "queued",
        "conclusion": None,
        "started_at": TIME,
        "completed_at": None,
        "check_suite": {"id": 1},
        "app": None,
        "pull_requests": [],
        "output": {**output, "annotations_url": f"{me}/annotations"},
    }


def label(url: str, repo: str, name: str) -> dict[str, Any]:
    where = {"id": 1, "node_id": "L", "url": f"{url}{repo}/labels/1"}
    return {**where, "name": name, "description": None, "color": "ffffff", "default": False}


def status(
    url: str, repo: str, number: int, commit: str, given: dict[str, Any], login: str
) -> dict[str, Any]:
    return {
        "url": f"{url}{repo}/statuses/{commit}",
        "avatar_url": None,
        "id": number,
        "node_id": "S",
        "state": given["state"],
        "description": given["description"],
        "target_url": None,
        "context": given["context"],
        "created_at": TIME,
        "updated_at": TIME,
        "creator": user(url, login),
    }
