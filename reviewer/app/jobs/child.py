"""A review in a process of its own: what ends it, a crash or a time limit too, does not end us."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from hunkwise.reviewer.config.settings import settings
from hunkwise.reviewer.config.variables import FOR_BOT, OTHER_VARIABLES

# Exit codes of `review --brief` where no model was asked and nothing is to be said
IDLE = 64  # there was nothing to look at
CHECKED = 65  # the checks that need no model found nothing

# -P: a module in the reviewed folder must not take the place of one of ours
_REVIEW = ("-P", "-c", "from hunkwise.reviewer.cli import review_main; review_main()")

# All that a review reads, or that the system, Python, git and llama.cpp need; a secret may have any name
_NEEDED = re.compile(
    r"PATH|HOME|USER|LOGNAME|SHELL|TMPDIR|TMP|TEMP|TZ|LANG|LANGUAGE|LC_[A-Z]+|TERM|COLUMNS|LINES|NO_COLOR|FORCE_COLOR|"
    r"XDG_(?:CACHE|CONFIG|DATA)_HOME|PYTHON(?:SAFEPATH|UTF8|IOENCODING|UNBUFFERED|NOUSERSITE|DONTWRITEBYTECODE)|"
    r"VIRTUAL_ENV|(?:DY)?LD_LIBRARY_PATH|SSL_CERT_(?:FILE|DIR)|(?:REQUESTS|CURL)_CA_BUNDLE|"
    r"GIT_(?:CONFIG_GLOBAL|DIR|WORK_TREE|CEILING_DIRECTORIES|DISCOVERY_ACROSS_FILESYSTEM)|"
    r"CI|GITHUB_ACTIONS|GITHUB_(?:EVENT_NAME|EVENT_PATH|REPOSITORY)|RUNNER_TEMP|"
    r"GITLAB_CI|CI_PROJECT_PATH|CI_MERGE_REQUEST_SOURCE_PROJECT_PATH|"
    r"OLLAMA_MODELS|HF_ENDPOINT|HF_HUB_OFFLINE|LLAMA_CPP_LIB_PATH|(?:CUDA|HIP|ROCR|HSA|GGML|OMP|VK)_[A-Z_0-9]+"
)
_PROXY = re.compile(r"(?:https?|all|no)_proxy", re.IGNORECASE)
_SECRET = re.compile(
    r"KEY|TOKEN|SECRET|PASS|CREDENTIAL|AUTH"
)  # even in a family of names that is let through
_FOR_POSTING = FOR_BOT | {name for name in OTHER_VARIABLES if name.endswith("_TOKEN")} - {
    "HUNKWISE_ENGINE_TOKEN"
}
_LOOK = 0.2  # seconds between two looks at whether a process is still wanted
_LAST_WORDS = 5.0  # seconds for a process that is told to end


def for_review(environ: Mapping[str, str]) -> dict[str, str]:
    """Keep of a job's environment what a review needs, so that one of a stranger's change holds no secret.

    The cache's own secret and address and the engine's token are kept: they are for the review, and for nothing
    else.
    """
    ours = {f"HUNKWISE_{name.upper()}" for name in settings()} | (OTHER_VARIABLES.keys() - _FOR_POSTING)
    return {
        name: value
        for name, value in environ.items()
        if name in ours
        or (_NEEDED.fullmatch(name) and not _SECRET.search(name))
        or (_PROXY.fullmatch(name) and "@" not in value)  # else it holds a password
    }


@dataclass(frozen=True, slots=True)
class Ending:
    """How a process ended: its exit code (negative: the signal that killed it), None where time ran out."""

    code: int | None
    seconds: float

    def __str__(self) -> str:
        """Say it in a few words."""
        if self.code is None:
            return f"not done within {self.seconds:.0f} s"
        if self.code < 0:
            return f"killed by signal {-self.code}"
        return "incomplete" if self.code == 3 else f"exit code {self.code}"


def review_command(options: Sequence[str]) -> list[str]:
    """Give the command line of `review OPTIONS` with this Python."""
    return [sys.executable, *_REVIEW, *options]


def supervise(
    argv: Sequence[str],
    limit: float | None = None,
    *,
    environ: Mapping[str, str] | None = None,
    folder: Path | None = None,
    wanted: Callable[[], bool] | None = None,
) -> Ending:
    """Run a command, in `folder`, for at most `limit` seconds; it and all that it started is killed then.

    Once `wanted` says no it is told to end, and killed if it does not.
    """
    started = time.monotonic()
    with subprocess.Popen(
        argv,
        stdin=subprocess.DEVNULL,
        start_new_session=True,
        env=environ,
        cwd=folder,
    ) as process:
        try:
            code: int | None = process.wait(limit) if wanted is None else _while(process, wanted, limit)
        except subprocess.TimeoutExpired:
            code = None
        finally:  # on Ctrl-C too: in its own session it does not hear the terminal
            if process.returncode is None:
                os.killpg(process.pid, signal.SIGKILL)
    return Ending(code, time.monotonic() - started)


def _while(process: subprocess.Popen[bytes], wanted: Callable[[], bool], limit: float | None) -> int:
    """Wait for a process as long as it is wanted. Raises subprocess.TimeoutExpired."""
    end = time.monotonic() + limit if limit is not None else None
    while wanted():
        left = _LOOK if end is None else min(_LOOK, end - time.monotonic())
        try:
            return process.wait(left)
        except subprocess.TimeoutExpired:
            if end is not None and time.monotonic() >= end:
                raise
    process.terminate()
    return process.wait(_LAST_WORDS)
