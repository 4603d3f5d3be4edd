from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from fakes.act import git

from hunkwise.engine import default_model, library_from_environment
from hunkwise.reviewer.app.cache import place_from_environment

Tool = Callable[..., Any]
Blocks = Callable[[str, str], list[str]]
USES = re.compile(r"uses: *(\S+)")


def test_action_is_valid(root: Path, tool: Tool) -> None:
    """action.yml is valid under GitHub's schema."""
    done = tool("check-jsonschema", "--builtin-schema", "vendor.github-actions", root / "action.yml")
    assert done.returncode == 0, done.stdout


def test_action_is_safe(root: Path, tool: Tool) -> None:
    """Zizmor finds nothing in action.yml, not even as an auditor."""
    done = tool("zizmor", "--offline", "--persona=auditor", "--no-progress", root / "action.yml")
    assert done.returncode == 0, done.stdout


def test_no_expression_in_shell(root: Path) -> None:
    """Every input reaches the shell through the environment, and no step is more than a few commands."""
    steps = yaml.safe_load((root / "action.yml").read_text())["runs"]["steps"]
    for step in (step for step in steps if "run" in step):
        assert "${{" not in step["run"]
        assert "PYTHONSAFEPATH" in step["env"] or step["run"].startswith("exit")
        assert len(step["run"].splitlines()) <= 7


def test_runs_anywhere(root: Path) -> None:
    """action.yml uses no other action, so that a runner without access to GitHub's can run it."""
    assert "uses:" not in (root / "action.yml").read_text()


def test_token_is_for_posting_alone(root: Path) -> None:
    """Only the step that posts holds the token."""
    steps = yaml.safe_load((root / "action.yml").read_text())["runs"]["steps"]
    assert [step["name"] for step in steps if "github_token" in str(step)] == ["Post"]


def test_everything_is_pinned(root: Path) -> None:
    """Every `uses:` that we ship or show names a commit in full."""
    texts = [(root / name).read_text() for name in ("action.yml", "docs/github.md", "docs/gitlab.md")]
    used = [name for text in texts for name in USES.findall(text)]
    assert len(used) > 10
    assert [name for name in used if not re.fullmatch(r"[\w./-]+@[0-9a-f]{40}", name)] == []


def test_one_commit_for_each_action(root: Path) -> None:
    """The same action is pinned to the same commit everywhere."""
    used = USES.findall(
        "".join(
            (root / name).read_text()
            for name in ("action.yml", "docs/github.md", ".github/workflows/check.yml")
        )
    )
    commits: dict[str, set[str]] = {}
    for name in used:
        action, _, commit = name.partition("@")
        commits.setdefault("/".join(action.split("/")[:2]), set()).add(commit)
    assert {action: found for action, found in commits.items() if len(found) > 1} == {}


@pytest.fixture
def workflows(root: Path, tmp_path: Path, blocks: Blocks) -> Path:
    """The workflows of docs/github.md, as a repository holds them, and our own."""
    folder = tmp_path / ".github" / "workflows"
    folder.mkdir(parents=True)
    for number, text in enumerate(blocks("github.md", "yaml")):
        (folder / f"{number}.yml").write_text(text)
    assert number >= 3
    (folder / "own.yml").write_text((root / ".github/workflows/check.yml").read_text())
    return folder


def test_workflows(workflows: Path, tool: Tool) -> None:
    """Actionlint finds nothing in the workflows of the documentation."""
    for file in sorted(workflows.iterdir()):
        done = tool("actionlint", file)
        assert done.returncode == 0, done.stdout


def test_workflows_are_safe(workflows: Path, tool: Tool) -> None:
    """Zizmor finds nothing in the workflows of the documentation."""
    done = tool("zizmor", "--offline", "--no-progress", workflows)
    assert done.returncode == 0, done.stdout


def test_writing_workflow_takes_nothing_along(workflows: Path) -> None:
    """A workflow that may write on a stranger's pull request checks nothing out."""
    found = [file.read_text() for file in workflows.iterdir() if "workflow_run:" in file.read_text()]
    assert len(found) == 1
    assert "actions/checkout" not in found[0]


def test_inputs_are_documented(root: Path) -> None:
    """The tables of docs/github.md and docs/gitlab.md list every input and output with its text."""
    action = yaml.safe_load((root / "action.yml").read_text())
    github, gitlab = ((root / "docs" / name).read_text() for name in ("github.md", "gitlab.md"))
    spec = next(yaml.safe_load_all((root / "templates/hunkwise.yml").read_text()))["spec"]
    for page, name, table in (
        (github, "inputs", rows(action["inputs"])),
        (github, "outputs", rows(action["outputs"])),
        (gitlab, "inputs", rows(spec["inputs"])),
    ):
        shown = page.split(f"<!-- {name} -->\n")[1].split(f"<!-- /{name} -->")[0]
        assert shown == table, table


def rows(entries: dict[str, Any]) -> str:
    """Write entries as a Markdown table."""
    with_default = any("default" in entry for entry in entries.values())
    head = (
        "| name | default | meaning |\n| --- | --- | --- |\n"
        if with_default
        else "| name | meaning |\n| --- | --- |\n"
    )
    lines = []
    for name, entry in entries.items():
        default = f" {'`' + entry['default'] + '`' if entry['default'] else ''} |" if with_default else ""
        lines.append(f"| `{name}` |{default} {entry['description']} |\n")
    return head + "".join(lines)


def test_gitlab_template(root: Path, tmp_path: Path, tool: Tool) -> None:
    """The jobs of the GitLab template are valid under GitLab's schema, and every input in them is declared."""
    text = (root / "templates/hunkwise.yml").read_text()
    head, _, jobs = text.partition("\n---\n")
    declared = set(yaml.safe_load(head)["spec"]["inputs"])
    assert set(re.findall(r"\$\[\[ inputs\.([\w-]+) ]]", jobs)) == declared
    (tmp_path / "jobs.yml").write_text(jobs)
    done = tool("check-jsonschema", "--builtin-schema", "vendor.gitlab-ci", tmp_path / "jobs.yml")
    assert done.returncode == 0, done.stdout


def test_gitlab_documentation(tmp_path: Path, blocks: Blocks, tool: Tool) -> None:
    """The examples of docs/gitlab.md are valid under GitLab's schema."""
    found = blocks("gitlab.md", "yaml gitlab")
    assert len(found) >= 3
    for number, text in enumerate(found):
        (tmp_path / f"{number}.yml").write_text(text)
        done = tool("check-jsonschema", "--builtin-schema", "vendor.gitlab-ci", tmp_path / f"{number}.yml")
        assert done.returncode == 0, done.stdout


def gitlab_jobs(root: Path) -> dict[str, Any]:
    """Give the jobs of the GitLab template."""
    jobs: dict[str, Any] = yaml.safe_load(
        (root / "templates/hunkwise.yml").read_text().partition("\n---\n")[2]
    )
    return jobs


def test_gitlab_shell(root: Path) -> None:
    """The scripts of the GitLab template are shell, and no input stands in them: they come as variables."""
    for job in gitlab_jobs(root).values():
        for line in [*job.get("before_script", []), *job.get("script", [])]:
            assert "$[[" not in line
            assert subprocess.run(["sh", "-n", "-c", line], check=False).returncode == 0, line


@pytest.fixture
def merged(tmp_path: Path) -> dict[str, str]:
    """A repository with a merge request that loosens the configuration; gives the variables of its job."""
    git(tmp_path, "init", "-q", "-b", "main")
    (tmp_path / "pyproject.toml").write_text('[tool.hunkwise]\nexclude = ["a.py", "*.toml"]\n')
    (tmp_path / "a.py").write_text("print(1)\n")
    git(tmp_path, "add", ".")
    git(tmp_path, "commit", "-q", "-m", "base")
    base = git(tmp_path, "rev-parse", "HEAD")
    (tmp_path / "pyproject.toml").write_text("[tool.hunkwise]\nexclude = []\nlanguage = 'de'\n")
    (tmp_path / "a.py").write_text("print(2)\n")
    git(tmp_path, "commit", "-q", "-am", "head")
    return {
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        "HOME": str(tmp_path),
        "GITLAB_CI": "true",
        "CI_MERGE_REQUEST_DIFF_BASE_SHA": base,
        "CI_COMMIT_SHA": git(tmp_path, "rev-parse", "HEAD"),
        "HUNKWISE_FAIL_ON": "none",
        "HUNKWISE_SOURCES": "/nowhere",
        "REQUIREMENT": "none",
    }


def scripted(root: Path, folder: Path, environ: dict[str, str]) -> subprocess.CompletedProcess[str]:
    """Run the review's job, as it stands in the template."""
    jobs = gitlab_jobs(root)
    script = "\n".join([*jobs[".hunkwise"]["before_script"], *jobs["hunkwise-review"]["script"]])
    return subprocess.run(
        ["sh", "-e", "-c", script], cwd=folder, env=environ, capture_output=True, text=True, check=False
    )


def test_gitlab_review(root: Path, tmp_path: Path, merged: dict[str, str]) -> None:
    """The review's script runs with the base's configuration, and writes both reports."""
    done = scripted(root, tmp_path, merged)
    assert done.returncode == 0, done.stderr
    report = json.loads((tmp_path / "hunkwise.json").read_text())
    assert report["head"] == merged["CI_COMMIT_SHA"]
    assert report["manifest"]["settings"]["language"] == "English"
    reasons = {one["path"]: one["reason"] for one in report["skipped"]}
    assert reasons["a.py"] == "excluded by the configuration"
    assert json.loads((tmp_path / "hunkwise-codequality.json").read_text()) == []


def test_gitlab_asks_for_the_model_where_it_is_needed(
    root: Path, tmp_path: Path, merged: dict[str, str]
) -> None:
    """A change that the model is to judge needs it; here it is nowhere, and the job fails with a sentence."""
    (tmp_path / "b.py").write_text("print(3)\n")
    git(tmp_path, "add", "b.py")
    git(tmp_path, "commit", "-q", "-m", "base 2")
    merged["CI_MERGE_REQUEST_DIFF_BASE_SHA"] = git(tmp_path, "rev-parse", "HEAD")
    (tmp_path / "b.py").write_text("print(4)\n")
    git(tmp_path, "commit", "-q", "-am", "head 2")
    merged["CI_COMMIT_SHA"] = git(tmp_path, "rev-parse", "HEAD")
    done = scripted(root, tmp_path, merged)
    assert done.returncode == 2
    assert "no source has qwen2.5-coder:1.5b" in done.stderr


@pytest.mark.parametrize("name", ["pip/x", "models/manifests/x", "answers/answers-trusted.sqlite3"])
def test_gitlab_refuses_a_change_that_fills_the_cache(
    root: Path, tmp_path: Path, merged: dict[str, str], name: str
) -> None:
    """What a change commits where hunkwise keeps its own is not taken for what the cache gave back."""
    path = tmp_path / ".hunkwise" / name
    path.parent.mkdir(parents=True)
    path.write_text("x")
    git(tmp_path, "add", "-f", ".hunkwise")
    done = scripted(root, tmp_path, merged)
    assert done.returncode == 2
    assert "the change brings files" in done.stdout


def test_gitlab_refuses_a_link_to_a_filled_cache(root: Path, tmp_path: Path, merged: dict[str, str]) -> None:
    """Of what lies behind a link, git lists nothing under the link's name."""
    (tmp_path / "elsewhere/pip").mkdir(parents=True)
    (tmp_path / "elsewhere/pip/x").write_text("x")
    (tmp_path / ".hunkwise").symlink_to("elsewhere")
    git(tmp_path, "add", "-f", ".hunkwise", "elsewhere")
    done = scripted(root, tmp_path, merged)
    assert done.returncode == 2
    assert "the change brings files" in done.stdout


def test_gitlab_writes_its_reports_through_no_link(
    root: Path, tmp_path: Path, merged: dict[str, str]
) -> None:
    """What a change committed in a report's place is not written to, nor taken for the report."""
    for name in ("hunkwise.json", "hunkwise-codequality.json"):
        (tmp_path / name).symlink_to(tmp_path / "elsewhere" / name)
    (tmp_path / "elsewhere").mkdir()
    assert scripted(root, tmp_path, merged).returncode == 0
    assert list((tmp_path / "elsewhere").iterdir()) == []
    assert not (tmp_path / "hunkwise.json").is_symlink()


def test_gitlab_caches(root: Path) -> None:
    """Engine and model are kept whatever becomes of the job; the job with the token shares nothing with it."""
    jobs = gitlab_jobs(root)
    engine, answers = jobs["hunkwise-review"]["cache"]
    assert [engine["when"], answers["when"]] == ["always", "always"]
    assert engine["key"].endswith(llama(root).replace("==", "-"))
    assert not any("prefixes" in path or path == ".hunkwise/answers" for path in answers["paths"])
    assert jobs["hunkwise-post"]["cache"] == []
    assert "PIP_CACHE_DIR" not in {**jobs[".hunkwise"]["variables"], **jobs["hunkwise-post"]["variables"]}
    assert jobs["hunkwise-post"]["variables"]["PIP_NO_CACHE_DIR"] == "1"
    assert "TOKEN" not in str(jobs["hunkwise-review"]["variables"])


def test_variables_are_known(root: Path) -> None:
    """Every HUNKWISE_… variable that we ship in a file is one that the program knows."""
    from hunkwise.reviewer.config.settings import settings
    from hunkwise.reviewer.config.variables import OTHER_VARIABLES

    known = (
        {f"HUNKWISE_{name.upper()}" for name in settings()} | set(OTHER_VARIABLES) | {"HUNKWISE_GITLAB_TOKEN"}
    )
    for name in ("action.yml", "templates/hunkwise.yml", "Dockerfile", "docker-compose.yml"):
        used = set(re.findall(r"HUNKWISE_[A-Z_]+", (root / name).read_text()))
        assert used <= known, name


def llama(root: Path) -> str:
    """Give the requirement of llama-cpp-python."""
    extras = tomllib.loads((root / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    return str(extras["local"][0])


def test_what_is_cached_is_what_is_used(root: Path, workflows: Path) -> None:
    """Every sample with the action keeps pip's wheels, the model store and the answers, also if it fails."""
    texts = [file.read_text() for file in workflows.iterdir() if "hunkwise/hunkwise@" in file.read_text()]
    texts = [text for text in texts if "uses: hunkwise/hunkwise@" in text]
    assert len(texts) == 3
    home = {"HOME": "/home/runner"}
    library = library_from_environment(home)
    (digest,) = {
        entry.sha256 for name, entry in library.catalog.items() if str(name).endswith(default_model())
    }
    for text in texts:
        (job,) = yaml.safe_load(text)["jobs"].values()
        cached = [step for step in job["steps"] if "actions/cache" in step.get("uses", "")]
        engine, answers, saved_engine, saved_answers = (step["with"] for step in cached)
        folders = [line.replace("~", home["HOME"]) for line in engine["path"].split()]
        assert folders == ["/home/runner/.cache/pip", str(library.store.root)]
        assert answers["path"].split()[0].replace("~", home["HOME"]) == str(
            place_from_environment(home).folder
        )
        assert answers["path"].split()[1:] == ["!~/.cache/hunkwise/prefixes"]
        assert (saved_engine["path"], saved_answers["path"]) == (engine["path"], answers["path"])
        assert engine["key"].endswith(f"-{llama(root).replace('==', '')}-{digest}")
        (python,) = (step["with"] for step in job["steps"] if "setup-python" in step.get("uses", ""))
        assert f"-python{python['python-version']}-" in engine["key"]
        assert all("/restore@" in step["uses"] for step in cached[:2])
        assert all("/save@" in step["uses"] and "always()" in step["if"] for step in cached[2:])


def test_the_engine_is_built_for_other_runners_too(root: Path) -> None:
    """Where a job builds llama.cpp, it does not build for its own processor alone."""
    for name in ("action.yml", "templates/hunkwise.yml", "Dockerfile"):
        assert "-DGGML_NATIVE=OFF" in (root / name).read_text()
