"""The templates in prompts/: what a model is asked is worded there, and filled in here."""

from __future__ import annotations

from functools import cache
from importlib import resources

import jinja2
from jinja2.sandbox import SandboxedEnvironment


def source(name: str) -> str:
    """Give a template as it is written."""
    return (resources.files("hunkwise.prompts") / f"{name}.j2").read_text("utf-8")


def render(name: str, **values: object) -> str:
    """Fill a template in. Every value that it names must be given."""
    return _environment().get_template(name).render(**values)


@cache
def _environment() -> jinja2.Environment:
    return SandboxedEnvironment(
        loader=jinja2.FunctionLoader(source),
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        autoescape=False,  # the result is a prompt, not HTML
    )
