"""The function around a change."""

from __future__ import annotations

import pytest

from hunkwise.reviewer.languages.functions import enclosing
from hunkwise.reviewer.types import Hunk, Line

PYTHON = """\
import os
from typing import (
    Any,
    List,
)

LIMIT = 3


class Box:
    size = 1

    def open(self, key):
        a = 1
        b = 2
        if key:
            c = 3
            d = 4
        e = 5
        return a

    def close(self):
        f = 6


def other():
    return 7
"""
GO = """\
package main

import (
	"fmt"
	"os"
)

// open opens.
func open(key string) error
{
	a := 1
	if key != "" {
		b := 2
	}
	return nil
}

func other() {
	fmt.Println(os.Args)
}
"""
C = """\
#include <stdio.h>

static int open_it(struct box *b, int key)
{
    int a = 1;
#ifdef DEBUG
    puts("x");
#endif
    for (;;) {
        a++;
    }
out:
    return a;
}
"""


@pytest.mark.parametrize(
    ("text", "line", "expected"),
    [
        (PYTHON, 17, range(13, 22)),
        (PYTHON, 11, range(10, 26)),
        (PYTHON, 27, range(26, 28)),
        (PYTHON, 7, None),
        (GO, 13, range(9, 17)),
        (C, 10, range(3, 15)),
    ],
)
def test_the_function_around_a_change(text: str, line: int, expected: range | None) -> None:
    """A method, a function whose brace stands on its own line, one with labels and directives at the margin."""
    lines = dict(enumerate(text.splitlines(), 1))
    hunk = Hunk(line, 0, line, 1, "", (Line("added", lines[line], None, line),))

    assert enclosing(lines, hunk) == expected
