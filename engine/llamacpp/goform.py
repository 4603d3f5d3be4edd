"""A chat template of a GGUF file, which is Jinja, as the Go template that Ollama's clients expect to be shown."""

from __future__ import annotations

from collections.abc import Sequence

from hunkwise.engine.errors import CorruptModel
from hunkwise.engine.llamacpp.template import render

_SYSTEM, _PROMPT = "{{ .System }}", "{{ .Prompt }}"
PLAIN = _PROMPT  # what Ollama takes where a model has no template


def go_form(template: str | None, fim: Sequence[str] = ()) -> str:
    """Write a Go template that frames one question as a Jinja template does.

    `fim` are the tokens before a prefix, a suffix and the middle; the template then says `.Suffix`, by which
    clients tell that the model fills in. Messages and tools are rendered by the Jinja template, whatever is shown.
    """
    try:
        chat = _chat(template)
    except CorruptModel:
        chat = PLAIN
    tools = "{{- /* tools and longer chats: as the chat template of the GGUF file has them */ -}}"
    note = tools if template and "tools" in template else ""
    if len(fim) != 3:
        return note + chat
    prefix, suffix, middle = fim
    filled = f"{prefix}{_PROMPT}{suffix}{{{{ .Suffix }}}}{middle}"
    return f"{note}{{{{ if .Suffix }}}}{filled}{{{{ else }}}}{chat}{{{{ end }}}}"


def _chat(template: str | None) -> str:
    if template is None:
        return PLAIN
    user = {"role": "user", "content": _PROMPT}
    alone = _rendered(template, [user], [_PROMPT])
    try:
        both = _rendered(template, [{"role": "system", "content": _SYSTEM}, user], [_SYSTEM, _PROMPT])
    except CorruptModel:  # a template that knows no system role
        return alone
    return f"{{{{ if .System }}}}{both}{{{{ else }}}}{alone}{{{{ end }}}}"


def _rendered(template: str, chat: list[dict[str, str]], needed: list[str]) -> str:
    return render(template, [chat], bos="", eos="", needed=needed)
