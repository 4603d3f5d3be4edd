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
from importlib import import_module

import click

from hunkwise.engine.errors import EngineError
from hunkwise.reviewer.errors import ReviewError
from hunkwise.reviewer.visible import defuse, visible

# verb -> module with a click command of that name in `command`; imported when the verb is used
VERBS = {
    "review": "hunkwise.reviewer.commands.review",
    "post": "hunkwise.reviewer.commands.post",
    "model": "hunkwise.reviewer.commands.model",
    "doctor": "hunkwise.reviewer.commands.doctor",
    "config": "hunkwise.reviewer.commands.config",
    "init": "hunkwise.reviewer.commands.init",
    "cache": "hunkwise.reviewer.commands.cache",
    "hook": "hunkwise.reviewer.commands.hook",
    "install-hook": "hunkwise.reviewer.commands.install_hook",
    "action": "hunkwise.reviewer.commands.action",
    "bench": "hunkwise.reviewer.commands.bench",
    "calibrate": "hunkwise.reviewer.commands.calibrate",
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


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="hunkwise")
def hunkwise() -> None:
    """Review code with a language model that runs on this machine."""


def run(
    command: click.Command,
    arguments: Sequence[str] | None = None,
    open_engine: Callable[..., object] | None = None,
) -> int:
    """Run a click command and return the process's exit code.

    `arguments` default to the process's own; `open_engine` replaces the opening of a model.
    """
    try:
        code = command.main(arguments, standalone_mode=False, obj=open_engine)
    except click.exceptions.Abort:
        click.echo("interrupted", err=True)
        return 130
    except click.ClickException as error:
        error.show()
        return 2
    except (EngineError, ReviewError) as error:
        click.echo(f"hunkwise: {defuse(visible(str(error)))}", err=True)
        return 2
    except SystemExit:  # how click leaves when the reader of a pipe went away
        return 141
    except Exception as error:  # noqa: BLE001 - nothing may end in a traceback; see the module's docstring
        return report_bug(error)
    return code if isinstance(code, int) else 0


def report_bug(error: Exception) -> int:
    """Say in one sentence that we failed; the traceback is for those who ask for it."""
    if os.environ.get("HUNKWISE_DEBUG"):
        sys.excepthook(type(error), error, error.__traceback__)
    what = visible(f"{type(error).__name__}: {error}".splitlines()[0])
    click.echo(
        f"hunkwise: unexpected {what}; this is a bug, please report it (HUNKWISE_DEBUG=1 shows where)",
        err=True,
    )
    return 2


def interrupt_again(lost: sys.UnraisableHookArgs) -> None:
    """Ask for Ctrl-C once more where it was lost: what native code calls back can't raise through it.

    A moment later, or it would strike in here and be lost again.
    """
    if isinstance(lost.exc_value, KeyboardInterrupt):
        threading.Timer(0.05, _thread.interrupt_main).start()
    else:
        sys.__unraisablehook__(lost)


def main(command: click.Command = hunkwise) -> None:
    """Run `hunkwise VERB …` as a process."""
    sys.unraisablehook = interrupt_again
    sys.exit(run(command))


def review_main() -> None:
    """Run `review …`, the same as `hunkwise review …`."""
    command = hunkwise.get_command(click.Context(hunkwise), "review")
    assert command is not None
    main(command)
