"""The command line: the one composition root, and the one place that turns errors into exit codes.

Exit codes: 0 nothing at or above --fail-on; 1 findings at or above it; 2 usage, configuration or tool error;
3 the review is incomplete and nothing else failed; 130 interrupted; 141 the reader of a pipe went away.
"""

from __future__ import annotations

import _thread
import os
import sys
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from importlib import import_module
from typing import TextIO

import click

from hunkwise.engine.errors import EngineError
from hunkwise.reviewer.errors import ReviewError
from hunkwise.reviewer.text.visible import defuse, visible

# verb -> module with a click command of that name in `command`; imported when the verb is used
VERBS = {
    "review": "hunkwise.reviewer.commands.review",
    "post": "hunkwise.reviewer.commands.post",
    "index": "hunkwise.reviewer.commands.telling.index",
    "ask": "hunkwise.reviewer.commands.telling.ask",
    "baseline": "hunkwise.reviewer.commands.baseline",
    "describe": "hunkwise.reviewer.commands.telling.describe",
    "explain": "hunkwise.reviewer.commands.telling.explain",
    "model": "hunkwise.reviewer.commands.model",
    "serve": "hunkwise.reviewer.commands.serving.serve",
    "bot": "hunkwise.reviewer.commands.serving.bot",
    "queue": "hunkwise.reviewer.commands.serving.queue",
    "token": "hunkwise.reviewer.commands.setup.token",
    "doctor": "hunkwise.reviewer.commands.setup.doctor",
    "config": "hunkwise.reviewer.commands.setup.config",
    "init": "hunkwise.reviewer.commands.setup.init",
    "cache": "hunkwise.reviewer.commands.cache",
    "hook": "hunkwise.reviewer.commands.hook",
    "prepare-commit-msg": "hunkwise.reviewer.commands.telling.prepare_commit_msg",
    "install-hook": "hunkwise.reviewer.commands.setup.install_hook",
    "action": "hunkwise.reviewer.commands.action",
    "rules": "hunkwise.reviewer.commands.quality.rules",
    "mine": "hunkwise.reviewer.commands.quality.mine",
    "bench": "hunkwise.reviewer.commands.quality.bench",
    "calibrate": "hunkwise.reviewer.commands.quality.calibrate",
}


class LazyGroup(click.Group):
    """A group that imports a verb's module only when that verb runs."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Name the verbs in the order of the table."""
        return list(VERBS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import one verb."""
        if cmd_name not in VERBS:
            return None
        command = import_module(VERBS[cmd_name]).command
        assert isinstance(command, click.Command)
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the verb; for one that there is not, name the nearest. Raises click.UsageError."""
        if args and args[0] not in VERBS and not args[0].startswith("-"):
            from hunkwise.reviewer.errors import nearest

            raise click.UsageError(f"no command {visible(args[0])!r}{nearest(args[0], VERBS)}", ctx)
        return super().resolve_command(ctx, args)


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="hunkwise")
def hunkwise() -> None:
    """Review code with a language model that runs on this machine."""


def run(
    command: click.Command,
    arguments: Sequence[str] | None = None,
    open_engine: Callable[..., object] | None = None,
    *,
    verb: str = "",
) -> int:
    """Run a click command, or the `verb` of a group as a command of its own, and return the exit code.

    `arguments` default to the process's own; `open_engine` replaces the opening of a model.
    """
    try:
        if verb:  # imported here, where an interrupt is no traceback either
            command = _verb(command, verb)
        code = command.main(arguments, standalone_mode=False, obj=open_engine)
    except (click.exceptions.Abort, KeyboardInterrupt):
        say("interrupted")
        return 130
    except click.ClickException as error:
        with suppress(OSError):
            error.show()
        return 2
    except (EngineError, ReviewError) as error:
        say(f"hunkwise: {defuse(visible(str(error)))}")
        return 2
    except SystemExit:  # how click leaves when the reader of a pipe went away
        return 141
    except UnicodeEncodeError as error:  # a file's name, since all that we write is UTF-8
        show_traceback(error)
        what = ascii(error.object[error.start : error.end])
        say(
            f"hunkwise: a name with {what} can't be said to this system in {error.encoding}; set PYTHONUTF8=1"
        )
        return 2
    except OSError as error:  # a full disk, no permission, no more file descriptors: the machine's, not a bug
        say(f"hunkwise: {defuse(visible(refusal(error)))}")
        return 2
    except Exception as error:  # noqa: BLE001 - nothing may end in a traceback; see the module's docstring
        return report_bug(error)
    return code if isinstance(code, int) else 0


def _verb(group: click.Command, name: str) -> click.Command:
    assert isinstance(group, click.Group)
    command = group.get_command(click.Context(group), name)
    assert command is not None
    return command


def say(text: str) -> None:
    """Print to standard error; where that can't be written, the exit code alone must say it."""
    with suppress(OSError):
        click.echo(text, err=True)


def refusal(error: OSError) -> str:
    """Put into a sentence what the system refused."""
    show_traceback(error)
    if isinstance(error, FileNotFoundError) and error.filename is None:  # of os.getcwd() alone
        return "the current folder is not there any more; change into another one"
    where = f"{os.fsdecode(error.filename)}: " if isinstance(error.filename, str | bytes) else ""
    return f"{where}{error.strerror or error}; the system refused this (HUNKWISE_DEBUG=1 shows where)"


def report_bug(error: Exception) -> int:
    """Say in one sentence that we failed; the traceback is for those who ask for it."""
    show_traceback(error)
    what = visible(f"{type(error).__name__}: {error}".splitlines()[0])
    say(f"hunkwise: unexpected {what}; this is a bug, please report it (HUNKWISE_DEBUG=1 shows where)")
    return 2


def show_traceback(error: Exception) -> None:
    """Print where an error came from, if HUNKWISE_DEBUG asks for it."""
    if os.environ.get("HUNKWISE_DEBUG"):
        sys.excepthook(type(error), error, error.__traceback__)


def interrupt_again(lost: sys.UnraisableHookArgs) -> None:
    """Ask for Ctrl-C once more where it was lost: what native code calls back can't raise through it.

    A moment later, or it would strike in here and be lost again.
    """
    if isinstance(lost.exc_value, KeyboardInterrupt):
        threading.Timer(0.05, _thread.interrupt_main).start()
    else:
        sys.__unraisablehook__(lost)


def main(verb: str = "") -> None:
    """Run `hunkwise VERB …` as a process."""
    sys.unraisablehook = interrupt_again
    open_closed_streams()
    sys.exit(flushed(run(hunkwise, verb=verb)))


def open_closed_streams() -> None:
    """Stand in for standard streams that the caller closed (`<&-`), before another file gets their number.

    Input that is missed, and a report that is lost, are errors as they are used: the stand-ins refuse both.
    """
    for name, access in (("stdin", os.O_WRONLY), ("stdout", os.O_RDONLY), ("stderr", os.O_WRONLY)):
        if getattr(sys, name) is None:
            stand_in = os.open(os.devnull, access)  # the lowest free number, which is the stream's
            mode = "r" if name == "stdin" else "w"
            setattr(sys, name, open(stand_in, mode, encoding="utf-8", errors="backslashreplace"))  # noqa: PTH123, SIM115


def flushed(code: int) -> int:
    """Write out what the standard streams still hold; 2 instead of 0 if the output can't be.

    What stays in one that fails would make Python end with 120.
    """
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        silence(sys.stdout)
    except OSError as error:
        silence(sys.stdout)
        if not code:
            say(f"hunkwise: the standard output can't be written: {error.strerror}")
            code = 2
    try:
        sys.stderr.flush()
    except OSError:
        silence(sys.stderr)
    return code


def silence(stream: TextIO) -> None:
    """Let what is still buffered go nowhere; see "Note on SIGPIPE" in the docs of `signal`."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def review_main() -> None:
    """Run `review …`, the same as `hunkwise review …`."""
    main("review")
