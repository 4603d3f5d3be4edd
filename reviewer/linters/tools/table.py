"""The tools that hunkwise knows: how each is run so that it executes nothing of a change, or why it is not."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from hunkwise.reviewer.errors import UsageError

_ACTIONLINT_FORM = (
    '{"source":{"name":"actionlint"},"diagnostics":[{{range $at, $one := .}}{{if $at}},{{end}}'
    '{"message":{{json $one.Message}},"code":{"value":{{json $one.Kind}}},"severity":"ERROR","location":'
    '{"path":{{json $one.Filepath}},"range":{"start":{"line":{{$one.Line}}}}}}{{end}}]}'
)
_WORKFLOWS = (".github/workflows/*.yml", ".github/workflows/*.yaml")
_C = ("*.c", "*.cc", "*.cpp", "*.cxx")
_BUILDS = (
    "it loads packages as the go command does, which can run cgo's compilers, fetch modules and toolchains"
)
_RULES_FROM_ELSEWHERE = "its rules come from its maker's server, or from files of the repository"


@dataclass(frozen=True, slots=True)
class Tool:
    """A tool, and how it is run.

    `files` are globs of what it reads. In `arguments`, `{files}` are the files, `{empty}` is a configuration that
    says nothing, and `{strict}` is `strict` where the change is not trusted: its comments silence nothing. `form`
    is the reader of its output; with one of `codes` it has done its work. `safe` says why running it is, and where
    that is "", `unsafe` why it is not run. One for a trusted change only has both.
    """

    name: str
    files: tuple[str, ...] = ()
    arguments: tuple[str, ...] = ()
    form: str = ""
    safe: str = ""
    unsafe: str = ""
    codes: frozenset[int] = frozenset({0, 1})
    strict: tuple[str, ...] = ()
    trusted_only: bool = False
    on_stderr: bool = False  # it prints its remarks there
    gives_up: str = ""  # the rule of a remark by which it says that it could not read a file


TOOLS: dict[str, Tool] = {
    tool.name: tool
    for tool in (
        Tool(
            "ruff",
            ("*.py", "*.pyi"),
            (
                *("check", "--isolated", "--no-cache", "--quiet", "--output-format", "json"),
                *("--target-version", "py313", "{strict}"),
                *("--select", "F,E722,E9,B,S,PLE,PLW,PLR0124,PLR0133,ASYNC,RUF,SIM,PIE,PT"),
                *("--", "{files}"),
            ),
            "ruff:read",
            "it parses, and has no plugins; `--isolated` reads no configuration",
            strict=("--ignore-noqa",),
        ),
        Tool(
            "oxlint",
            ("*.js", "*.jsx", "*.mjs", "*.cjs", "*.ts", "*.tsx", "*.mts", "*.cts", "!oxlint.config.*"),
            (
                *("--config", "{empty}", "--disable-nested-config", "--no-ignore"),
                *("--react-plugin", "--promise-plugin", "-D", "correctness", "-W", "suspicious"),
                *("--format", "checkstyle", "--", "{files}"),
            ),
            "checkstyle:read",
            "it parses; the configuration is ours, so no plugin in JavaScript is loaded",
        ),
        Tool(
            "shellcheck",
            ("*.sh", "*.bash", "*.ksh", "*.dash"),
            ("--norc", "--severity", "info", "--format", "checkstyle", "--", "{files}"),
            "checkstyle:read",
            "it parses; without `-x` it follows no `source`, and `--norc` reads no configuration",
        ),
        Tool(
            "hadolint",
            ("Dockerfile", "Dockerfile.*", "*.Dockerfile", "*.dockerfile", "Containerfile"),
            ("--config", "{empty}", "--format", "sarif", "{strict}", "--", "{files}"),
            "sarif:read",
            "it parses, and builds nothing",
            strict=("--disable-ignore-pragma",),
        ),
        Tool(
            "actionlint",
            _WORKFLOWS,
            (
                *("-no-color", "-shellcheck=", "-pyflakes=", "-config-file", "{empty}"),
                *("-format", _ACTIONLINT_FORM, "{files}"),
            ),
            "rdjson:read",
            "it parses; the programs that it can call are switched off",
        ),
        Tool(
            "zizmor",
            (*_WORKFLOWS, "action.yml", "action.yaml"),
            (
                *("--offline", "--no-config", "--no-progress", "--quiet", "--no-exit-codes"),
                *("--format", "sarif", "--", "{files}"),
            ),
            "sarif:read",
            "it parses; `--offline` asks nobody, and no token is in its environment",
        ),
        Tool(
            "clang-tidy",
            _C,
            (
                *("--quiet", "--config={}", "--checks=-*,bugprone-*,clang-analyzer-*,concurrency-*"),
                *("{files}", "--", "-Wno-everything"),
            ),
            "compiler:read_clang_tidy",
            "it parses and analyzes, and builds nothing; `--config` loads no plugin",
            "what `#include` and `#embed` name is read from anywhere on the machine, and can come up in a message",
            trusted_only=True,
            gives_up="clang-diagnostic-error",
        ),
        Tool(
            "cppcheck",
            _C,
            (
                *("--quiet", "--enable=warning,portability", "--max-configs=4"),
                *("--template={file}:{line}:{column}: {severity}: {message} [{id}]", "--template-location="),
                "{files}",
            ),
            "compiler:read_cppcheck",
            "it parses and analyzes, and builds nothing; no addon is loaded",
            "what `#include` names is read from anywhere on the machine, and can come up in a message",
            codes=frozenset({0}),
            trusted_only=True,
            on_stderr=True,
        ),
        Tool("staticcheck", unsafe=_BUILDS),
        Tool("golangci-lint", unsafe=f"{_BUILDS}; its configuration can name plugins"),
        Tool("semgrep", unsafe=_RULES_FROM_ELSEWHERE),
    )
}


def chosen(
    names: Sequence[str], has: Callable[[Tool], bool], *, trusted: bool
) -> tuple[list[Tool], list[str]]:
    """Give the tools that are named, or with "auto" those that are here; and what is not done, and why.

    Raises UsageError for one that is never run.
    """
    if "none" in names:
        return [], []
    tools: list[Tool] = []
    notes: list[str] = []
    for tool in TOOLS.values():
        named = tool.name in names
        if named and not tool.safe:
            raise UsageError(
                f"{tool.name} is not run here, for {tool.unsafe}; "
                "run it yourself, and give its report with: review --with sarif=FILE"
            )
        if named and tool.trusted_only and not trusted:
            notes.append(f"{tool.name} is not run on a change that is not trusted, for {tool.unsafe}")
        elif named or ("auto" in names and tool.safe and (trusted or not tool.trusted_only) and has(tool)):
            tools.append(tool)
    return tools, notes
