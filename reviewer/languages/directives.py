"""Comments that act: a tool, a compiler or a kernel does something else because they are there.

They are evidence as code is. What is listed here too much costs little: the model reads a comment.
"""

from __future__ import annotations

import re

_MARK = r"\A(?://+!?|#+|--+|;+|/\*+|<!--|\{-|=begin)"

_SHAPES = (
    r"\A#!",  # a shebang
    r"\A(?://|#|--|;|/\*)[a-z][\w-]*:(?=[^\s/])",  # //go:build, //lint:ignore
    _MARK + r"\s{0,9}[@$][\w-]",  # // @ts-nocheck, /* @flow */, // $FlowFixMe
    r"\A//[ \t]{0,9}\+build\b",
    r"\A//(?:export|extern|line)\s",
    r"\A(?://>|///?\s{0,9}<reference\b|/\*[!+:#]|---@|\{-#|#cgo\b|#cloud-config|<!--\[|<!--#)",
    r"[#@]__\w+__",  # /* #__PURE__ */
    r"-\*-|\bvim?:\s?\w|\bex:\s",  # of editors, and of Ruby and Python
    r"<!\[endif\]",
)

# Anywhere in a comment
_WORDS = """
    noqa nosec nosemgrep nolint nolintnextline nolintbegin nosonar nopmd nocover nopep8 noinspection
    nopycln nocheck lgtm skipcq fallthrough fallthru sourcemappingurl sourceurl non-nls pvs-studio
"""
# Anywhere, with a sign or what to do behind them
_TOOLS = """
    autopep8 bandit codespell coding cspell cython distutils doctest encoding flake8
    frozen_string_literal isort mypy pragma pylint pyre pyright pytype ruff shareable_constant_value
    warn_indent yapf biome c8 deno-lint eslint istanbul jscs jshint jslint oxlint prettier stylelint
    tslint webpackchunkname webpackexclude webpackexports webpackignore webpackinclude webpackmode
    webpackprefetch webpackpreload brakeman checkstyle clang-format clang-tidy coverity cppcheck
    cppcheck-suppress credo detekt dialyzer golangci ktlint lcov_excl_line lcov_excl_start
    lcov_excl_stop luacheck phan phpcs phpstan psalm resharper revive rubocop scalafix scalafmt
    scalastyle selene shellcheck slither solhint sonar spdx-license-identifier staticcheck steep stylua
    swift-tools-version swiftformat swiftlint actionlint checkov codeql gitleaks hadolint hunkwise
    kics-scan markdownlint renovate semgrep terrascan tflint tflint-ignore tfsec trivy trufflehog
    yaml-language-server yamllint zizmor
"""
# At the beginning alone: they are words of prose too
_LEADING = """
    black build check env esbuild escape exported fmt formatter global globals jsx jsximportsource lint
    line node parcel rollup rustfmt snyk standard syntax tag tags ts type typed use v8 vite xo
"""
_DOES = "(?:ignore|disable|enable|suppress|skip|allow|expect[-_]error|off)"
_GAP = r"[ \t]{1,9}"

_ACTS = re.compile(
    "|".join(
        (
            *_SHAPES,
            rf"\b(?:{'|'.join(_WORDS.split())})\b|\bno[ -](?:qa|cover|lint|inspection)\b|:nodoc:",
            rf"\b(?:{'|'.join(_TOOLS.split())})(?:[ \t]{{0,9}}[-:=(\[]|{_GAP}(?:{_DOES}|on)\b)",
            rf"{_MARK}\s{{0,9}}(?:{'|'.join(_LEADING.split())})(?:[:=\[]|{_GAP}{_DOES}\b)",
            rf"[\w-]:{_DOES}\b|\b{_DOES}(?:-(?:next-line|line|file|start|end|begin)\b|[=\[])",
            r"@(?:flow|jsx|ts-|vite-|jest-|vitest-|phpstan|psalm|phan|codecoverage|formatter:|nginject|cc_on|preserve)",
            r"@\w[\w\\]{0,99}\(",  # annotations that PHP reads from comments
        )
    ),
    re.IGNORECASE,
)


def acts(comment: str) -> bool:
    """Tell whether a comment, with its marks, is one that something acts on."""
    return _ACTS.search(comment) is not None
