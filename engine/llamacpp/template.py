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
from itertools import product
from typing import TYPE_CHECKING, Any

from hunkwise.engine.errors import CorruptModel

if TYPE_CHECKING:
    from jinja2.sandbox import ImmutableSandboxedEnvironment

Message = Mapping[str, object]
Chat = Sequence[Message]

TODAY = (2025, 1, 1)  # what every template is told: with the real date prompts would change by the day
_SECONDS = 5
_MEMORY = 512 * 2**20  # bytes of address space
_OUTPUT = 2**20  # characters
# what helps where a template does not: behind each of its errors
ADVICE = "; write another as TEMPLATE in a Modelfile over the model, and name that: --model ./Modelfile"


def render(
    template: str,
    chats: Sequence[Chat],
    *,
    bos: str,
    eos: str,
    needed: Sequence[str] = (),
    tools: Sequence[Mapping[str, object]] = (),
    think: bool | str = False,
    seconds: float = 2 * _SECONDS,
) -> str:
    """Render the first of `chats` that comes out with all `needed` texts in it, and open the assistant's turn.

    `think` is whether the model is to think aloud, or how much. Raises CorruptModel with what the template says to
    them.
    """
    request = {
        "template": template,
        "chats": [list(chat) for chat in chats],
        "needed": list(needed),
        "tools": list(tools),
        "think": think,
        "bos": bos,
        "eos": eos,
    }
    command = [sys.executable, "-I", "-c", "from hunkwise.engine.llamacpp.template import main; main()"]
    try:
        done = subprocess.run(
            command, input=json.dumps(request).encode(), capture_output=True, timeout=seconds, check=False
        )
    except subprocess.TimeoutExpired:
        raise CorruptModel(f"the model's chat template did not finish within {seconds:g} s{ADVICE}") from None
    if done.returncode:
        words = done.stderr.decode("utf-8", "replace").strip().splitlines()
        reason = words[-1] if words else f"it took more than {_SECONDS} s or {_MEMORY >> 20} MiB"
        raise CorruptModel(f"the model's chat template fails: {reason[:300]}{ADVICE}")
    return done.stdout.decode("utf-8", "replace")


def expand(request: Mapping[str, Any]) -> str:
    """Render a request without limits: the child's work."""
    import jinja2

    template = _world().from_string(request["template"])
    problems: list[str] = []
    # a template for tools alone, such as Hermes', walks through them without asking whether there are any
    given = request.get("tools")
    tools_of: tuple[list[object] | None, ...] = (given,) if given else (None, [])
    for tools, chat in product(tools_of, request["chats"]):
        try:
            text = _rendered(template, chat, tools, request)
        except (MemoryError, RecursionError):  # no other chat will do with less
            raise
        except Exception as error:  # noqa: BLE001 - a stranger's program: whatever it raises is its complaint
            problems.append(f"{type(error).__name__}: {error}")
            continue
        lost = sum(not _says(text, needed) for needed in request["needed"])
        if not lost:
            return text
        problems.append(f"it drops {lost} of {len(request['needed'])} messages")
    raise jinja2.TemplateError("; ".join(list(dict.fromkeys(problems))[:2]))


def _says(text: str, needed: str) -> bool:
    """Tell whether a message came out as text, and not as the notation of a list of typed parts."""
    return needed in text and f"'text': '{needed}" not in text and f'"text": "{needed}' not in text


def _rendered(template: Any, chat: Chat, tools: list[object] | None, request: Mapping[str, Any]) -> str:
    import jinja2

    parts, length = [], 0
    for part in template.generate(
        messages=chat,
        bos_token=request["bos"],
        eos_token=request["eos"],
        add_generation_prompt=True,
        enable_thinking=bool(request.get("think")),
        **({"reasoning_effort": request["think"]} if isinstance(request.get("think"), str) else {}),
        tools=tools,
        documents=None,
    ):
        length += len(part)
        if length > _OUTPUT:
            raise jinja2.TemplateError(f"the text grows beyond {_OUTPUT} characters")
        parts.append(part)
    return "".join(parts)


def _world() -> ImmutableSandboxedEnvironment:
    """Make the environment that templates are written for: transformers' apply_chat_template, but for the date."""
    from datetime import datetime

    import jinja2
    from jinja2 import nodes
    from jinja2.ext import Extension, loopcontrols
    from jinja2.parser import Parser
    from jinja2.sandbox import ImmutableSandboxedEnvironment

    class Generation(Extension):
        """`{% generation %}` marks, for training, what the model said; the text is as it is."""

        tags = {"generation"}  # noqa: RUF012 - as Jinja declares it

        def parse(self, parser: Parser) -> nodes.Node:
            line = next(parser.stream).lineno
            body = parser.parse_statements(("name:endgeneration",), drop_needle=True)
            return nodes.CallBlock(self.call_method("_said"), [], [], body).set_lineno(line)

        def _said(self, caller: Any) -> str:
            return str(caller())

    def refuse(message: object) -> str:
        raise jinja2.TemplateError(str(message))

    def to_json(
        value: object,
        ensure_ascii: bool = False,
        indent: int | None = None,
        separators: tuple[str, str] | None = None,
        sort_keys: bool = False,
    ) -> str:
        return json.dumps(
            value, ensure_ascii=ensure_ascii, indent=indent, separators=separators, sort_keys=sort_keys
        )

    def today(form: str) -> str:
        return datetime(*TODAY).strftime(form)  # noqa: DTZ001 - a day, in no zone

    world = ImmutableSandboxedEnvironment(
        trim_blocks=True, lstrip_blocks=True, extensions=[Generation, loopcontrols]
    )
    world.filters["tojson"] = to_json
    world.globals["raise_exception"] = refuse
    world.globals["strftime_now"] = today
    return world


def main() -> None:
    """Be the child: a request as JSON on stdin, the text on stdout, one line on stderr if it fails."""
    import resource

    import jinja2

    resource.setrlimit(resource.RLIMIT_CPU, (_SECONDS, _SECONDS))
    resource.setrlimit(resource.RLIMIT_AS, (_MEMORY, _MEMORY))
    try:
        text = expand(json.load(sys.stdin.buffer))
    except (MemoryError, RecursionError) as error:
        sys.exit(f"it needs too much memory ({type(error).__name__})")
    except jinja2.TemplateError as error:  # of a template that does not compile, or that no chat suits
        sys.exit(" ".join(str(error).split()))
    except SyntaxError as error:  # Python's: too many nested blocks
        sys.exit(f"it does not compile ({error.msg})")
    sys.stdout.buffer.write(text.encode("utf-8", "replace"))
