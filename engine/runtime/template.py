"""Render a model's Jinja chat template where it can do no harm: in a child process with bounded time and memory.

A template comes with the weights, from strangers. Jinja's sandbox keeps it from Python's internals but not
from `{{ 'A' * 10**9 }}` or nested loops without end, so the child has limits and the parent a watchdog.
The module is also the child's program.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping, Sequence
from typing import Any

from hunkwise.engine.errors import CorruptModel

Message = Mapping[str, str]

_SECONDS = 5
_MEMORY = 512 * 2**20  # bytes of address space
_OUTPUT = 2**20  # characters


def render(
    template: str, messages: Sequence[Message], *, bos: str, eos: str, seconds: float = 2 * _SECONDS
) -> str:
    """Render for `messages` and open the assistant's turn; raises CorruptModel with the template's complaint."""
    request = {"template": template, "messages": list(messages), "bos": bos, "eos": eos}
    command = [sys.executable, "-I", "-c", "from hunkwise.engine.runtime.template import main; main()"]
    try:
        done = subprocess.run(
            command, input=json.dumps(request).encode(), capture_output=True, timeout=seconds, check=False
        )
    except subprocess.TimeoutExpired:
        raise CorruptModel(f"the model's chat template did not finish within {seconds:g} s") from None
    if done.returncode:
        words = done.stderr.decode("utf-8", "replace").strip().splitlines()
        reason = words[-1] if words else f"it took more than {_SECONDS} s or {_MEMORY >> 20} MiB"
        raise CorruptModel(f"the model's chat template fails: {reason[:300]}")
    return done.stdout.decode("utf-8", "replace")


def expand(request: Mapping[str, Any]) -> str:
    """Render a request without limits: the child's work."""
    import jinja2
    from jinja2.ext import loopcontrols
    from jinja2.sandbox import ImmutableSandboxedEnvironment

    def refuse(message: object) -> str:
        raise jinja2.TemplateError(str(message))

    def to_json(value: object, **options: Any) -> str:
        return json.dumps(value, ensure_ascii=False, indent=options.get("indent"))

    # As transformers' apply_chat_template sets it up, but for the clock: a date would change every prompt.
    world = ImmutableSandboxedEnvironment(trim_blocks=True, lstrip_blocks=True, extensions=[loopcontrols])
    world.filters["tojson"] = to_json
    world.globals["raise_exception"] = refuse
    parts, length = [], 0
    for part in world.from_string(request["template"]).generate(
        messages=request["messages"],
        bos_token=request["bos"],
        eos_token=request["eos"],
        add_generation_prompt=True,
        enable_thinking=False,
        tools=None,
    ):
        length += len(part)
        if length > _OUTPUT:
            raise jinja2.TemplateError(f"the text grows beyond {_OUTPUT} characters")
        parts.append(part)
    return "".join(parts)


def main() -> None:
    """Be the child: a request as JSON on stdin, the text on stdout, one line on stderr if it fails."""
    import resource

    import jinja2

    resource.setrlimit(resource.RLIMIT_CPU, (_SECONDS, _SECONDS))
    resource.setrlimit(resource.RLIMIT_AS, (_MEMORY, _MEMORY))
    try:
        text = expand(json.load(sys.stdin.buffer))
    except (
        jinja2.TemplateError,
        TypeError,
        ValueError,
        LookupError,
        AttributeError,
        ArithmeticError,
    ) as error:
        sys.exit(f"{type(error).__name__}: {error}")
    except (MemoryError, RecursionError) as error:
        sys.exit(f"it needs too much memory ({type(error).__name__})")
    sys.stdout.buffer.write(text.encode("utf-8", "replace"))
