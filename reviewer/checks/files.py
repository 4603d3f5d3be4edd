"""What a file is to the rules: its language."""

from __future__ import annotations

import re

_SUFFIXES = {
    "py": "python", "pyi": "python", "pyw": "python",
    "js": "javascript", "mjs": "javascript", "cjs": "javascript", "jsx": "javascript",
    "ts": "typescript", "mts": "typescript", "cts": "typescript", "tsx": "tsx",
    "go": "go", "java": "java", "c": "c", "rs": "rust", "rb": "ruby", "php": "php", "cs": "csharp",
    "cc": "cpp", "cpp": "cpp", "cxx": "cpp", "hpp": "cpp", "hh": "cpp", "hxx": "cpp",
    "kt": "kotlin", "kts": "kotlin", "sh": "bash", "bash": "bash",
}  # fmt: skip
_CPP = re.compile(r"^\s*(?:class|namespace|template|public:|using)\b|::", re.MULTILINE)


def language_of(path: str, text: str = "") -> str:
    """Give the grammar that reads a file, "" if there is none. A header is C++ where its text says so."""
    suffix = path.rpartition(".")[2].lower() if "." in path.rpartition("/")[2] else ""
    if suffix == "h":
        return "cpp" if _CPP.search(text) else "c"
    return _SUFFIXES.get(suffix, "")
