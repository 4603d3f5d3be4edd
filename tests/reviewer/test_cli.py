"""The command line: exit codes, help, and how fast it answers."""

from __future__ import annotations

import errno
import os
import signal
import subprocess
import sys
import time
from types import SimpleNamespace

import click
import pytest

from hunkwise.engine.errors import MissingExtra
from hunkwise.reviewer.cli import VERBS, hunkwise, interrupt_again, run
from hunkwise.reviewer.errors import ConfigError

HEAVY = {"numpy", "jinja2", "unidiff", "llama_cpp", "llguidance", "redis", "github", "gitlab", "requests"}


def failing(error: BaseException) -> click.Command:
    """Make a command that raises."""

    @click.command()
    def command() -> None:
        raise error

    return command


@pytest.mark.parametrize(
    ("error", "code", "message"),
    [
        (ConfigError("x.toml: bad\x1b[0m"), 2, "hunkwise: x.toml: bad<U+001B>[0m\n"),
        (ConfigError("a\n::error::b"), 2, "hunkwise: a\n:\u2060:error::b\n"),
        (MissingExtra("redis", "redis"), 2, "run: pip install 'hunkwise[redis]'"),
        (click.UsageError("no"), 2, "Error: no"),
        (KeyboardInterrupt(), 130, "interrupted"),
        (ValueError("secret\nof many lines"), 2, "unexpected ValueError: secret; this is a bug"),
        (SystemExit(1), 141, ""),
        (
            PermissionError(errno.EACCES, "Permission denied", "/x\x1b"),
            2,
            "/x<U+001B>: Permission denied; the sys",
        ),
        (
            OSError(errno.EMFILE, "Too many open files"),
            2,
            "hunkwise: Too many open files; the system refused",
        ),
        (UnicodeEncodeError("ascii", "\xe9.py", 0, 1, "x"), 2, "a name with '\\xe9' can't be said to this"),
        (FileNotFoundError(errno.ENOENT, "No such file"), 2, "the current folder is not there any more"),
    ],
)
def test_every_error_has_its_exit_code(
    error: BaseException, code: int, message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Whatever is raised, there is one sentence on stderr, an exit code, and no traceback."""
    assert run(failing(error), []) == code
    captured = capsys.readouterr()
    assert captured.out == ""
    assert message in captured.err
    assert "Traceback" not in captured.err


def test_the_traceback_of_a_bug_is_there_for_those_who_ask(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """HUNKWISE_DEBUG=1 shows where it went wrong."""
    monkeypatch.setenv("HUNKWISE_DEBUG", "1")
    assert run(failing(ZeroDivisionError("x")), []) == 2
    assert "Traceback" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("redirection", "code", "message"),
    [
        ("- < /dev/null > /dev/full", 2, "can't be written to the standard output: No space left on device"),
        ("- < /dev/null >&-", 2, "can't be written to the standard output: Bad file descriptor"),
        ("- <&-", 2, "-: can't be read: Bad file descriptor"),
        ("- < /dev/null 2>&-", 0, ""),
        ("--nonsense 2> /dev/full", 2, ""),
        ("--help > /dev/full", 2, "hunkwise: No space left on device"),
        ("--help >&-", 2, "hunkwise: Bad file descriptor"),
        ("<&-", 2, "nothing to review was named"),
        ("<&- >&- 2>&-", 2, ""),
    ],
)
@pytest.mark.parametrize("unbuffered", ["", "1"])
def test_streams_that_fail_never_pass_for_a_review(
    redirection: str, code: int, message: str, unbuffered: str
) -> None:
    """Closed or full standard streams end in a sentence where one can be read, and in exit code 2."""
    program = "from hunkwise.reviewer.cli import review_main; review_main()"
    done = subprocess.run(
        ["sh", "-c", f'"$0" -c "$1" {redirection}', sys.executable, program],
        env={**os.environ, "PYTHONUNBUFFERED": unbuffered},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == code
    assert message in done.stderr.removesuffix("\n").rpartition("\n")[2]
    assert "Traceback" not in done.stderr


def test_an_interrupt_that_native_code_lost_comes_again() -> None:
    """Ctrl-C ends the program although it struck while llama.cpp called back."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)  # a job in the background ignores it
    try:
        with pytest.raises(KeyboardInterrupt):  # noqa: PT012 - the signal may come at either statement
            interrupt_again(SimpleNamespace(exc_value=KeyboardInterrupt()))
            time.sleep(5)
    finally:
        signal.signal(signal.SIGINT, before)


def test_an_interrupt_while_a_verb_is_imported_is_no_traceback(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ctrl-C right after the start ends with the code of an interrupt."""

    def interrupt(name: str) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("hunkwise.reviewer.cli.import_module", interrupt)
    assert run(hunkwise, [], verb="review") == 130
    assert capsys.readouterr().err == "interrupted\n"


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_has_help(verb: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Each verb of the table can be imported and answers --help."""
    assert run(hunkwise, [verb, "--help"]) == 0
    assert "Usage:" in capsys.readouterr().out


def test_help_is_short_and_help_all_is_complete(capsys: pytest.CaptureFixture[str]) -> None:
    """`review --help` shows about a dozen options, --help-all the rest."""
    counts = []
    for flag in ("--help", "--help-all"):
        assert run(hunkwise, ["review", flag]) == 0
        lines = capsys.readouterr().out.splitlines()
        counts.append(sum(line.startswith("  -") for line in lines))
    assert counts[0] <= 13
    assert counts[1] >= counts[0] + 15


def test_help_imports_nothing_heavy() -> None:
    """The help of a review comes without numpy, jinja2, unidiff or any SDK."""
    code = (
        "import sys; from hunkwise.reviewer.cli import run, hunkwise; run(hunkwise, ['review', '--help']); "
        "print(*(name for name in sys.modules if '.' not in name), file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert not HEAVY & set(done.stderr.split())


@pytest.mark.parametrize(("typed", "meant"), [("reveiw", "review"), ("modle", "model"), ("\x1bx", "")])
def test_a_mistyped_command_is_answered_with_the_nearest(
    typed: str, meant: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Whoever mistypes a command learns which one was meant."""
    assert run(hunkwise, [typed]) == 2
    said = capsys.readouterr().err
    assert (f"did you mean {meant}?" in said) is bool(meant)
    assert "\x1b" not in said
