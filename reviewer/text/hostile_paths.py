"""Paths that lead where no file of a change may be."""

from __future__ import annotations

import re

# HFS+ ignores these inside names, so that .g\u200cit opens .git (git's is_hfs_dotgit)
_IGNORED_BY_HFS = re.compile("[\u200c-\u200f\u202a-\u202e\u206a-\u206f\ufeff]")
_LONGEST_PATH = 4096  # bytes, PATH_MAX of Linux


def hostile(text: str) -> str:
    """Say why a path could lead out of the repository or into .git; "" if it can't.

    Colons and backslashes are characters like others in the names of POSIX, which is where paths are opened.
    """
    parts = text.split("/")
    if not set(parts) - {"", "."}:
        return "is empty"
    if len(text) > _LONGEST_PATH:
        return f"is longer than {_LONGEST_PATH} bytes"
    if "\0" in text:
        return "has a NUL byte"
    if text.startswith("/"):
        return "is absolute"
    if ".." in parts:
        return "has '..' in it"
    # As git does everywhere, since the repository may be checked out where a backslash parts folders
    if any(map(_is_git_folder, text.replace("\\", "/").split("/"))):
        return "leads into .git"
    return ""


def _is_git_folder(part: str) -> bool:
    plain = _IGNORED_BY_HFS.sub("", part).partition(":")[0].rstrip(". ").casefold()
    return plain in (".git", "git~1")  # git~1 is the short name on NTFS
