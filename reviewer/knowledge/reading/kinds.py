"""What a file is, by its name: code of a language, a document of a form, or text that can't be told."""

from __future__ import annotations

from hunkwise.reviewer.knowledge.port import PassageKind
from hunkwise.reviewer.knowledge.reading.sections import FORMS
from hunkwise.reviewer.languages.syntax import languages

# Without a grammar of ours: read in blocks
_SUFFIXES = """
    adb ads asm awk bat bzl cfg clj cljs cmake cmd coffee conf cr cu cuh d el env erl f f90 fs fsi
    fsx gd glsl gql gradle graphql groovy hbs hrl in ini j2 jl json json5 jsonc jinja less lisp m
    mako mk ml mli mm mod nim pas pl pm pp proto prisma properties ps1 psm1 pug pyx pxd r rake rkt s
    sass scm scss sed sql styl svelte tcl tmpl toml v vb vhd vue wgsl xml xsd xsl
"""
_CODE = frozenset(_SUFFIXES.split())
_NAMES = {
    "dockerfile": "dockerfile", "containerfile": "dockerfile", "makefile": "make", "gnumakefile": "make",
    "cmakelists.txt": "cmake", "justfile": "just", "jenkinsfile": "groovy", "rakefile": "ruby",
    "gemfile": "ruby", "vagrantfile": "ruby", "build": "bzl", "workspace": "bzl", ".bashrc": "bash",
    ".profile": "bash", ".gitignore": "gitignore", ".gitattributes": "gitattributes", ".editorconfig": "ini",
    "codeowners": "codeowners",
}  # fmt: skip

MOST_TEXT, MOST_PDF = 1 << 20, 32 << 20  # bytes of a file


def most_of(path: str) -> int:
    """Give how many bytes of a file are read; a larger one stays out."""
    return MOST_PDF if path.lower().endswith(".pdf") else MOST_TEXT


def kind_of(path: str) -> tuple[PassageKind, str]:
    """Give the kind and the language of a file; of a document, its form: "markdown", "rst", "html", "pdf"."""
    name = path.rpartition("/")[2].lower()
    suffix = name.rpartition(".")[2] if "." in name.strip(".") else ""
    if suffix in FORMS and name not in _NAMES:
        return "document", FORMS[suffix]
    if suffix == "pdf":
        return "document", "pdf"
    if suffix in ("html", "htm", "xhtml"):
        return "document", "html"
    if known := languages(suffix):
        return "code", known[0]
    if name in _NAMES or suffix in _CODE:
        return "code", _NAMES.get(name, suffix)
    return "document", "text"
