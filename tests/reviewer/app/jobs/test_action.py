from __future__ import annotations

from pathlib import Path

import pytest

from hunkwise.reviewer.app.jobs.action import Reviewed, job_folder, verdict
from hunkwise.reviewer.app.jobs.child import for_review
from hunkwise.reviewer.app.jobs.ci_job import append_summary
from hunkwise.reviewer.commands import action
from hunkwise.reviewer.config.files import load
from hunkwise.reviewer.errors import UsageError
from hunkwise.reviewer.types import Severity


@pytest.mark.parametrize(
    ("code", "fail_on", "expected"),
    [(0, None, 0), (1, Severity.HIGH, 1), (3, Severity.HIGH, 3), (3, None, 0)],
)
def test_verdict(code: int, fail_on: Severity | None, expected: int) -> None:
    """An incomplete review fails a job that may fail, and passes in one that may not."""
    assert verdict(code, fail_on) == expected


@pytest.mark.parametrize("let_pass", [True, False])
def test_what_is_let_pass_is_a_warning(
    let_pass: bool, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The log says that a review which passes was incomplete."""
    monkeypatch.setattr(action, "review_job", lambda _: Reviewed({"exit_code": "0"}, let_pass))
    action.command.main(["review"], standalone_mode=False)
    assert ("::warning" in capsys.readouterr().out) == let_pass


def test_no_secret_for_the_review() -> None:
    """The process that reads a stranger's change holds no secret, whatever it is called."""
    secrets = (
        "GITHUB_TOKEN", "INPUT_GITHUB_TOKEN", "ACTIONS_RUNTIME_TOKEN", "CI_JOB_TOKEN", "DB_PASSWORD", "MY_SECRET",
        "API_KEY", "AWS_SECRET_ACCESS_KEY", "DATABASE_URL", "PIN", "HUNKWISE_GITHUB_TOKEN", "HUNKWISE_OTHER",
        "HUNKWISE_GITLAB_TOKEN", "HF_TOKEN", "OLLAMA_API_KEY", "GGML_TOKEN",
        "CUDA_LICENSE_KEY", "GIT_CONFIG_VALUE_0",
        "XPATH", "PATHX", "path", "LC_all secret", "npm_config__auth", "HOMEBREW_GITHUB_API_TOKEN",
    )  # fmt: skip
    needed = {
        "PATH": "/bin", "HOME": "/h", "LC_ALL": "C", "HUNKWISE_LANGUAGE": "de", "HUNKWISE_MODELS": "/m",
        "HUNKWISE_CACHE_SECRET": "s", "HUNKWISE_ENGINE_TOKEN": "t",
        "OLLAMA_MODELS": "/o", "https_proxy": "http://proxy:3128", "NO_PROXY": "x",
        "CUDA_VISIBLE_DEVICES": "0", "PYTHONSAFEPATH": "1", "GITHUB_REPOSITORY": "o/r", "CI": "true",
    }  # fmt: skip
    given = {**dict.fromkeys(secrets, "x"), **needed, "HTTPS_PROXY": "http://user:password@proxy:3128"}
    assert for_review(given) == needed


@pytest.mark.parametrize("said", [{"CI": "true"}, {"GITHUB_ACTIONS": "true"}])
def test_the_model_runs_apart(said: dict[str, str], tmp_path: Path) -> None:
    """What the review's process is given of the job's variables says that this is CI."""
    assert load(flags={}, environ=for_review({**said, "GITHUB_TOKEN": "x"}), folder=tmp_path).isolate


def test_outputs(tmp_path: Path) -> None:
    """An output is one line: a value with a line end in it, which would forge another one, is refused."""
    environ = {"GITHUB_OUTPUT": str(tmp_path / "outputs")}
    action._output({"findings": "3", "highest_severity": "high"}, environ)
    assert (tmp_path / "outputs").read_text() == "findings=3\nhighest_severity=high\n"
    with pytest.raises(UsageError, match="line end"):
        action._output({"model": "x\nadmin=true"}, environ)
    assert "admin" not in (tmp_path / "outputs").read_text()


def test_summary_is_bounded(tmp_path: Path) -> None:
    """A report that GitHub would refuse is cut at a line, and says so."""
    append_summary({"GITHUB_STEP_SUMMARY": str(tmp_path / "summary")}, "line\n" * 300_000)
    text = (tmp_path / "summary").read_text()
    assert len(text) <= 1_000_100
    assert text.endswith("line\n\n(cut; the report has more)\n")


def test_elsewhere() -> None:
    """Outside of GitHub Actions there is a sentence that names the command to use."""
    with pytest.raises(UsageError, match="review"):
        job_folder({})
