"""What a change breaks elsewhere, in small real repositories."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from hunkwise.engine import Engine
from hunkwise.engine.errors import MissingExtra
from hunkwise.reviewer.cli import hunkwise, run
from hunkwise.reviewer.diff.parse import Limits
from hunkwise.reviewer.knowledge.reach.reach import reach
from hunkwise.reviewer.knowledge.reach.values import Reached
from hunkwise.reviewer.source.git import repository
from hunkwise.reviewer.source.local import staged

Files = Mapping[str, str]
ENVIRONMENT = {
    "PATH": os.environ["PATH"], "HOME": "/nowhere", "GIT_CONFIG_GLOBAL": "/dev/null",
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_AUTHOR_NAME": "a", "GIT_AUTHOR_EMAIL": "a", "GIT_COMMITTER_NAME": "a", "GIT_COMMITTER_EMAIL": "a",
}  # fmt: skip


def write(folder: Path, files: Files) -> None:
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if text:
            path.write_text(text)
        else:
            path.unlink()


def git(folder: Path, *command: str) -> None:
    subprocess.run(["git", *command], cwd=folder, env=ENVIRONMENT, check=True, capture_output=True)


def changed(folder: Path, before: Files, after: Files) -> Path:
    """Make a repository with a commit, and a change of it that is staged; an empty text takes a file away."""
    git(folder, "init", "-q")
    write(folder, before)
    git(folder, "add", "-A")
    git(folder, "commit", "-qm", "before")
    write(folder, after)
    git(folder, "add", "-A")
    return folder


def broken(folder: Path, before: Files, after: Files, budget: float = 60.0) -> list[str]:
    """Say what a change breaks, a line each."""
    changed(folder, before, after)
    change = staged(folder, Limits(), ENVIRONMENT)
    found = reach(change, repository(folder, ENVIRONMENT), "HEAD", budget)
    assert not found.late
    return [
        f"{each.kind} {each.name}@{each.line}: {', '.join(f'{place.path}:{place.line}' for place in each.places)}"
        for each in found.broken
    ]


PYTHON = {
    "pkg/__init__.py": "from .a import load as load\n",
    "pkg/a.py": "LIMIT = 1\n\n\ndef load(name, size):\n    return name, size\n\n\ndef other():\n    return 1\n",
    "pkg/b.py": "from pkg.a import load\nfrom . import a\n\nload('x', 1)\na.load('x', size=1)\nload(*x)\n",
    "pkg/c.py": "from pkg import load as fetch\n\nfetch('x', 1)\n",
    "pkg/d.py": "from elsewhere import load\n\nload('x', 1)\n\n\ndef run(load):\n    load('x', 1)\n",
}
COPIED = (
    "const inIndex = read();\nif (inIndex > totalIn) {\n  fail(inIndex);\n}\n"
    "const outIndex = read();\nif (outIndex > totalOut) {\n  fail(inIndex);\n}\n"
)
SHORTER = PYTHON["pkg/a.py"].replace("(name, size):\n    return name, size", "(name):\n    return name")
CASES: dict[str, tuple[Files, Files, list[str]]] = {
    "python: a parameter less": (
        PYTHON,
        {"pkg/a.py": SHORTER},
        ["arguments load@4: pkg/b.py:4, pkg/b.py:5, pkg/c.py:3"],
    ),
    "python: calls that came along are right": (
        PYTHON,
        {"pkg/a.py": SHORTER, "pkg/b.py": "from pkg.a import load\n\nload('x')\n", "pkg/c.py": ""},
        [],
    ),
    "python: a default is no harm": (
        PYTHON,
        {"pkg/a.py": PYTHON["pkg/a.py"].replace("(name, size)", "(name, size, more=None)")},
        [],
    ),
    "python: another order, of which one call gives a name": (
        PYTHON,
        {"pkg/a.py": PYTHON["pkg/a.py"].replace("(name, size)", "(size, name)")},
        ["arguments load@4: pkg/b.py:5"],
    ),
    "python: a decorator may take other arguments": (
        PYTHON,
        {"pkg/a.py": SHORTER.replace("def load", "@filled\ndef load")},
        [],
    ),
    "python: a name is gone": (
        {**PYTHON, "t.py": "try:\n    from pkg.a import LIMIT\nexcept ImportError:\n    LIMIT = 2\n"},
        {"pkg/a.py": PYTHON["pkg/a.py"].replace("LIMIT = 1", "MOST = 1").replace("load", "fetch")},
        ["removed load@4: pkg/__init__.py:1, pkg/b.py:1, pkg/b.py:5, pkg/c.py:1"],
    ),
    "python: a module is gone": (
        {**PYTHON, "pkg/extra.py": "X = 1\n", "t.py": "from pkg.extra import X\nimport pkg.extra as other\n"},
        {"pkg/extra.py": ""},
        ["module pkg/extra.py@1: t.py:1, t.py:2"],
    ),
    "a file that git ignores now is still made": (
        {"gen/made.ts": "export const a = 1;\n", "b.ts": 'import { a } from "./gen/made";\n'},
        {"gen/made.ts": "", ".gitignore": "/gen/*\n"},
        [],
    ),
    "python: methods": (
        {
            "m.py": (
                "class Pool:\n    def lease(self, size, wait):\n        pass\n\n    def run(self):\n"
                "        self.lease(1, 2)\n"
            ),
            "n.py": "from m import Pool\n\np = Pool()\np.lease(1, 2)\nq.lease(1, 2)\n",
        },
        {
            "m.py": (
                "class Pool:\n    def lease(self, size):\n        pass\n\n    def run(self):\n"
                "        self.lease(1, 2)\n"
            )
        },
        ["arguments Pool.lease@2: m.py:6, n.py:4"],
    ),
    "python: what a class takes": (
        {
            "m.py": "class Pool:\n    def __init__(self, size):\n        self.size = size\n",
            "n.py": (
                "import m\n\n\nclass Sub(m.Pool):\n    def __init__(self):\n"
                "        super().__init__(1)\n\n\nm.Pool(1)\n"
            ),
        },
        {"m.py": "class Pool:\n    def __init__(self, size, wait):\n        self.size = size\n"},
        ["arguments Pool.__init__@2: n.py:6, n.py:9"],
    ),
    "python: what a dataclass takes": (
        {
            "m.py": (
                "from dataclasses import dataclass\n\n\n@dataclass(frozen=True)\nclass Page:\n    first: int\n"
                "    last: int = 1\n\n    def size(self):\n        return 1\n"
            ),
            "n.py": "from m import Page\n\nPage(1)\nPage(first=1, last=2)\nPage(1, 2)\n",
        },
        {
            "m.py": (
                "from dataclasses import dataclass\n\n\n@dataclass(frozen=True)\nclass Page:\n    first: int\n"
                "    end: int\n\n    def size(self):\n        return 1\n"
            ),
        },
        ["arguments Page.__init__@5: n.py:3, n.py:4"],
    ),
    "python: a member of an enumeration": (
        {
            "m.py": "from enum import Enum\n\n\nclass Kind(Enum):\n    OLD_ONE = 1\n    NEW = 2\n",
            "n.py": "from m import Kind\n\nprint(Kind.OLD_ONE, Kind.NEW)\n",
        },
        {"m.py": "from enum import Enum\n\n\nclass Kind(Enum):\n    NEW = 2\n"},
        ["removed Kind.OLD_ONE@4: n.py:3"],
    ),
    "python: a result that was one value, and is two": (
        {
            "m.py": "def find(name):\n    return name.get()\n",
            "n.py": "from m import find\n\nfind(1).key\nkept = find(2)\nfirst, second = find(3)\n",
        },
        {"m.py": "def find(name):\n    return name.get(), 1\n"},
        ["result find@1: n.py:3"],
    ),
    "python: a function that became a coroutine": (
        {
            "m.py": "def find(name):\n    return name.get()\n",
            "n.py": (
                "from m import find\n\nfind(1)\nkept = find(2)\nlater = find(3)\nuse(await later)\n"
                "await find(4)\ngather(find(5))\n"
            ),
        },
        {"m.py": "async def find(name):\n    return name.get()\n"},
        ["result find@1: n.py:3, n.py:4"],
    ),
    "python: methods that override": (
        {
            "m.py": "class Base:\n    def run(self, size):\n        pass\n",
            "n.py": (
                "from m import Base\n\n\nclass Old(Base):\n    def run(self, size):\n        pass\n\n\n"
                "class Open(Base):\n    def run(self, *args):\n        pass\n\n\n"
                "class Other:\n    def run(self, size):\n        pass\n"
            ),
        },
        {"m.py": "class Base:\n    def run(self, size, wait):\n        pass\n"},
        ["override Base.run@2: n.py:5"],
    ),
    "a text that is gone, and is still asked for": (
        {
            "lang/en.json": '{"menu": {"openFile": "Open", "saveFile": "Save"}, "appName": "x"}\n',
            "lang/de.json": '{"menu": {"openFile": "Öffnen"}}\n',
            "a.vue": '{{ $t("menu.openFile") }}\n{{ other("menu.openFile") }}\n{{ $t("menu.saveFile") }}\n',
        },
        {"lang/en.json": '{"menu": {"saveFile": "Save"}, "appName": "x"}\n'},
        ["removed menu.openFile@1: a.vue:1"],
    ),
    "a name that was left in a copy": (
        {"n.js": "\n"},
        {"n.js": COPIED},
        ["copy inIndex@7: n.js:3"],
    ),
    "typescript": (
        {
            "src/a.ts": "export function load(name: string, size: number) {}\nexport const LIMIT = 1;\n",
            "src/b.ts": 'import { load, LIMIT } from "./a";\nload("x", 1);\nload(...x);\n',
            "src/c.ts": 'import { load } from "other";\nload("x", 1);\n',
        },
        {"src/a.ts": "export function load(name: string) {}\n"},
        ["arguments load@1: src/b.ts:2", "removed LIMIT@1: src/b.ts:1"],
    ),
    "javascript takes any number, and knows what is gone": (
        {
            "a.js": "exports.load = function (name, size) {};\nexports.gone = 1;\n",
            "b.js": 'const { load, gone } = require("./a");\nload("x", 1);\n',
        },
        {"a.js": "exports.load = function (name) {};\n"},
        ["removed gone@1: b.js:1"],
    ),
    "go": (
        {
            "go.mod": "module example.org/x\n",
            "a/a.go": "package a\n\nfunc Load(name string, size int) {}\n\nfunc Gone() {}\n",
            "b/b.go": (
                'package b\n\nimport "example.org/x/a"\n\nfunc F() {\n\ta.Load("x", 1)\n'
                "\ta.Load(pair())\n\ta.Gone()\n}\n"
            ),
        },
        {"a/a.go": "package a\n\nfunc Load(name string) {}\n"},
        ["arguments Load@3: b/b.go:6", "removed Gone@3: b/b.go:8"],
    ),
    "go: a test in a package of its own": (
        {
            "go.mod": "module example.org/x\n",
            "a/a.go": "package a\n\nfunc Load(name string, size int) {}\n\nfunc Gone() {}\n",
            "a/a_test.go": (
                'package a_test\n\nimport "example.org/x/a"\n\nfunc F() {\n\ta.Load("x", 1)\n\ta.Gone()\n}\n'
            ),
        },
        {"a/a.go": "package a\n\nfunc Load(name string) {}\n"},
        ["arguments Load@3: a/a_test.go:6", "removed Gone@3: a/a_test.go:7"],
    ),
    "go: results": (
        {
            "go.mod": "module example.org/x\n",
            "a/a.go": "package a\n\nfunc Load(name string) int { return 1 }\n",
            "b/b.go": (
                'package b\n\nimport "example.org/x/a"\n\nfunc F() int {\n\tn := a.Load("x")\n'
                '\ta.Load("y")\n\tm, err := a.Load("z")\n\treturn a.Load("x")\n}\n'
            ),
        },
        {"a/a.go": "package a\n\nfunc Load(name string) (int, error) { return 1, nil }\n"},
        ["result Load@3: b/b.go:6"],
    ),
    "java: methods that override": (
        {
            "p/A.java": "package p;\ninterface A { int run(int x); }\n",
            "p/B.java": "package p;\nclass B implements A { public int run(int x) { return 1; } }\n",
        },
        {"p/A.java": "package p;\ninterface A { int run(int x, int y); }\n"},
        ["override A.run@2: p/B.java:2"],
    ),
    "java": (
        {
            "a/Pool.java": (
                "package a;\nclass Pool {\n  static int size(int a, int b) { return a; }\n"
                "  int next(int a) { return a; }\n}\n"
            ),
            "a/User.java": (
                "package a;\nclass User {\n void f(Pool p) { Pool.size(1, 2); p.next(1); q.next(1); }\n}\n"
            ),
        },
        {
            "a/Pool.java": (
                "package a;\nclass Pool {\n  static int size(int a) { return a; }\n"
                "  int next(int a, int b) { return a; }\n}\n"
            )
        },
        ["arguments Pool.size@3: a/User.java:3", "arguments Pool.next@4: a/User.java:3"],
    ),
    "c": (
        {
            "a.h": "int load_it(int a, int b);\n",
            "a.c": (
                '#include "a.h"\nint load_it(int a, int b) { return a; }\nint gone_now(int a) { return a; }\n'
            ),
            "b.c": '#include "a.h"\nint f(void) { return load_it(1, 2) + gone_now(1); }\n',
        },
        {"a.h": "int load_it(int a);\n", "a.c": '#include "a.h"\nint load_it(int a) { return a; }\n'},
        ["arguments load_it@2: b.c:2", "arguments load_it@1: b.c:2", "removed gone_now@2: b.c:2"],
    ),
    "rust": (
        {
            "src/a.rs": "pub fn load(a: u8, b: u8) {}\npub fn gone_now() {}\n",
            "src/b.rs": (
                "use crate::a::{load, gone_now};\nfn f() { load(1, 2); a::load(1, 2); other::load(1, 2); }\n"
            ),
        },
        {"src/a.rs": "pub fn load(a: u8) {}\n"},
        ["arguments load@1: src/b.rs:2", "removed gone_now@1: src/b.rs:1"],
    ),
    "python: a module that is named by its package": (
        {"pkg/__init__.py": "X = 1\n", "pkg/extra.py": "Y = 1\n", "t.py": "from pkg import X, extra\n"},
        {"pkg/extra.py": ""},
        ["module pkg/extra.py@1: t.py:1"],
    ),
    "python: objects whose class is told by where they are set": (
        {
            "m.py": "class Pool:\n    def lease(self, size):\n        pass\n",
            "o.py": "class Tank:\n    def lease(self, size):\n        pass\n",
            "n.py": (
                "from m import Pool\n\n\nclass User:\n    def __init__(self, main: Pool):\n"
                "        self.pool = Pool()\n        self.main = main\n\n"
                "    def run(self, other: Pool, tank):\n        self.pool.lease(1)\n        other.lease(2)\n"
                "        tank.lease(3)\n        self.main.lease(4)\n"
            ),
        },
        {"m.py": "class Pool:\n    def lease(self):\n        pass\n"},
        ["arguments Pool.lease@2: n.py:10, n.py:11, n.py:13"],
    ),
    "python: a method that is gone, of a name that nothing else has": (
        {
            "m.py": (
                "class PagePool:\n    def take_next_page(self):\n        pass\n\n"
                "    def take_last_page(self):\n        pass\n\n    def __enter__(self):\n        pass\n"
            ),
            "n.py": (
                "from m import PagePool\n\n\nclass Sub(PagePool):\n    def run(self):\n"
                "        self.take_next_page()\n"
            ),
            "o.py": "def run(pool, other):\n    pool.take_next_page()\n    other.take_last_page = 1\n",
            "p.py": "def run(pool):\n    pool.take_last_page()\n",
        },
        {"m.py": "class PagePool:\n    def __enter__(self):\n        pass\n"},
        ["removed PagePool.take_next_page@1: n.py:6, o.py:2"],
    ),
    "python: what has parts of any name": (
        {
            "m.py": "class PagePool:\n    first_open_page: int\n    other: int\n",
            "n.py": "def run(args, pool):\n    print(args.first_open_page, pool.first_open_page)\n",
        },
        {"m.py": "class PagePool:\n    other: int\n"},
        ["removed PagePool.first_open_page@1: n.py:2"],
    ),
    "python: a package that hands names on as it likes": (
        {
            "pkg/__init__.py": "from .b import *\n",
            "pkg/extra.py": "Y = 1\n",
            "t.py": "from pkg import extra\n",
        },
        {"pkg/extra.py": ""},
        [],
    ),
    "go: a type that another one has taken the place of": (
        {
            "go.mod": "module example.org/x\n",
            "a/a.go": "package a\n\ntype Page struct {\n\tFirstOpenLine int\n}\n",
            "a/b.go": "package a\n\nfunc f(page *lib.Page) int {\n\treturn page.FirstOpenLine\n}\n",
        },
        {"a/a.go": "package a\n\nvar x = 1\n"},
        [],
    ),
    "python: what a base of another package may have": (
        {
            "m.py": "from lib import Base\n\n\nclass Pool(Base):\n    def take_next_page(self):\n        pass\n",
            "o.py": "def run(pool):\n    pool.take_next_page()\n",
        },
        {"m.py": "from lib import Base\n\n\nclass Pool(Base):\n    pass\n"},
        [],
    ),
    "python: a call that fits no function of its name": (
        {
            "m.py": "class PagePool:\n    def take_next_page(self, a):\n        pass\n",
            "n.py": "class Other:\n    def take_next_page(self, a, b):\n        pass\n",
            "o.py": "def run(pool):\n    pool.take_next_page(1)\n    pool.take_next_page(1, 2)\n",
        },
        {"m.py": "class PagePool:\n    def take_next_page(self):\n        pass\n"},
        ["arguments PagePool.take_next_page@2: o.py:2"],
    ),
    "a file that was only renamed": (
        {"some-part.ts": "export const a = 1;\n" * 9, "b.ts": 'import { a } from "./some-part";\n'},
        {"some-part.ts": "", "c.ts": "export const a = 1;\n" * 9},
        ["module some-part.ts@1: b.ts:1"],
    ),
    "typescript: packages of the workspace, paths, modules that are handed on whole": (
        {
            "packages/one/package.json": '{\n  "name": "@x/one"\n}\n',
            "packages/one/src/index.ts": 'export * from "./a";\nexport * from "./b";\n',
            "packages/one/src/a.ts": "export function load(a: number, b: number) {}\nexport const LIMIT = 1;\n",
            "packages/one/src/b.ts": "export const other = 1;\n",
            "tsconfig.json": '{"compilerOptions": {"paths": {"@/*": ["./packages/*"]}}}\n',
            "app/c.ts": 'import { load, LIMIT } from "@x/one";\nload(1, 2);\n',
            "app/d.ts": 'import { load } from "@/one/src/a";\nload(1, 2);\n',
        },
        {"packages/one/src/a.ts": "export function load(a: number) {}\n"},
        [
            "arguments load@1: app/c.ts:2, app/d.ts:2",
            "removed LIMIT@1: app/c.ts:1",
        ],
    ),
    "go: fields, types and constants": (
        {
            "go.mod": "module example.org/x\n",
            "a/a.go": "package a\n\ntype Page struct {\n\tFirstLine int\n\tLast int\n}\n\nconst Limit = 1\n",
            "a/b.go": "package a\n\nfunc f(page *Page) int {\n\treturn page.FirstLine + Limit\n}\n",
        },
        {"a/a.go": "package a\n\ntype Page struct {\n\tLast int\n}\n"},
        ["removed Page.FirstLine, Limit@3: a/b.go:4"],
    ),
    "go: types that are said to have the methods of an interface": (
        {
            "go.mod": "module example.org/x\n",
            "a/a.go": "package a\n\ntype Store interface {\n\tGet(name string) int\n}\n",
            "b/b.go": (
                'package b\n\nimport "example.org/x/a"\n\nvar _ a.Store = (*Disk)(nil)\n\n'
                "func (d *Disk) Get(name string) int { return 1 }\n\n"
                "func (o *Other) Get(name string) int { return 1 }\n"
            ),
        },
        {"a/a.go": "package a\n\ntype Store interface {\n\tGet(name string, age int) int\n}\n"},
        ["override Store.Get@4: b/b.go:7"],
    ),
    "rust: what a trait asks for": (
        {
            "src/a.rs": "pub trait Store {\n    fn get(&self, name: u8) -> u8;\n}\n",
            "src/b.rs": (
                "use crate::a::Store;\nimpl Store for Disk {\n    fn get(&self, name: u8) -> u8 { 1 }\n}\n"
                "impl Disk2 {\n    fn get(&self, name: u8) -> u8 { 1 }\n}\n"
            ),
        },
        {"src/a.rs": "pub trait Store {\n    fn get(&self, name: u8, age: u8) -> u8;\n}\n"},
        ["override Store.get@2: src/b.rs:3"],
    ),
    "java: what is taken from a class by name": (
        {
            "src/a/Errors.java": (
                "package a;\npublic class Errors {\n  public static int boom(int a) { return a; }\n"
                "  public static int bang(int a) { return a; }\n}\n"
            ),
            "src/b/User.java": (
                "package b;\nimport static a.Errors.boom;\nimport static a.Errors.bang;\n"
                "class User { int f() { return boom(1) + bang(2); } }\n"
            ),
        },
        {
            "src/a/Errors.java": (
                "package a;\npublic class Errors {\n  public static int bang(int a) { return a; }\n}\n"
            )
        },
        ["removed Errors.boom@2: src/b/User.java:2"],
    ),
    "java: a class that is gone": (
        {
            "src/a/Pool.java": "package a;\npublic class Pool {}\n",
            "src/a/User.java": "package a;\nclass User { Pool pool; }\n",
            "src/b/Other.java": "package b;\nimport a.Pool;\nclass Other {}\n",
        },
        {"src/a/Pool.java": "package a;\npublic class Tank {}\n"},
        ["removed Pool@2: src/a/User.java:2, src/b/Other.java:2"],
    ),
    "c++: a namespace is no class": (
        {
            "a.h": (
                "namespace x {\nint load_it(int a, int b);\nint gone_now(int a);\n"
                "enum kind { KIND_OLD, KIND_NEW };\n}\n"
            ),
            "b.cc": '#include "a.h"\nint f() { return x::load_it(1, KIND_OLD) + gone_now(1); }\n',
        },
        {"a.h": "namespace x {\nint load_it(int a, int b);\nenum kind { KIND_NEW };\n}\n"},
        ["removed x.gone_now, x.kind.KIND_OLD@2: b.cc:2, b.cc:2"],
    ),
    "rust: types, by the way of their module": (
        {
            "one/src/a/page.rs": "pub struct Page {}\n",
            "one/src/b.rs": "use crate::a::page::Page;\n",
            "two/src/c.rs": "use one::a::page::Page;\nuse other::page::Page as No;\n",
        },
        {"one/src/a/page.rs": "pub struct Sheet {}\n"},
        ["removed Page@1: one/src/b.rs:1, two/src/c.rs:1"],
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_languages(case: str, tmp_path: Path) -> None:
    """What is said, with its line and places; what another name, or an unknown one, could mean is not."""
    before, after, expected = CASES[case]
    assert broken(tmp_path, before, after) == expected


def test_limits(tmp_path: Path) -> None:
    """Where the time is over, or there are too many names, that is told."""
    names = [f"name_{number}" for number in range(70)]
    text = "\n".join(f"def {name}():\n    pass\n" for name in names)
    user = "from a import (\n" + "".join(f"    {name},\n" for name in names) + ")\n"
    changed(tmp_path, {"a.py": text, "b.py": user}, {"a.py": "def other():\n    pass\n"})
    change, repo = staged(tmp_path, Limits(), ENVIRONMENT), repository(tmp_path, ENVIRONMENT)
    assert reach(change, repo, "HEAD", 0.0) == Reached(late=True)
    found = reach(change, repo, "HEAD", 60.0)
    assert found.late
    (one,) = found.broken
    assert len(one.name.split(", ")) == len(names) - 10


def light(*_: Any) -> Engine:
    raise MissingExtra("llama-cpp-python", "local")


def test_review(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """A review says it on the changed line, with the places; two settings keep it quiet."""
    folder = tmp_path / "here"
    folder.mkdir()
    changed(folder, PYTHON, {"pkg/a.py": SHORTER})
    monkeypatch.chdir(folder)
    monkeypatch.setattr("hunkwise.reviewer.knowledge.reach.reach.BUDGET", 60.0)
    for name, value in {**ENVIRONMENT, "HOME": str(tmp_path), "CI": "", "GITHUB_ACTIONS": ""}.items():
        monkeypatch.setenv(name, value)

    def reviewed(*source: str) -> dict[str, Any]:
        assert run(hunkwise, ["review", *source, "--format", "json"], light) in (0, 1, 3)
        document: dict[str, Any] = json.loads(capsys.readouterr().out)
        return document

    document = reviewed("--staged")
    (said,) = document["findings"]
    assert (said["path"], said["start_line"], said["source"]["rule"]) == ("pkg/a.py", 4, "reach:arguments")
    assert "pkg/b.py:4" in said["message"]
    assert said["calibrated"]
    assert document["manifest"]["settings"]["reach"] == "looked"
    (folder / ".hunkwise.toml").write_text('disabled_rules = ["reach:*"]\n')
    assert reviewed("--staged")["findings"] == []
    (folder / ".hunkwise.toml").write_text("reach = false\n")
    assert reviewed("--staged")["findings"] == []
    (folder / ".hunkwise.toml").unlink()
    diff = subprocess.run(
        ["git", "diff", "--cached"], env=ENVIRONMENT, capture_output=True, check=True
    ).stdout
    (folder / "x.patch").write_bytes(diff)
    assert reviewed("x.patch")["manifest"]["settings"]["reach"].startswith("not looked")
    lines = COPIED.splitlines(keepends=True)
    whole = f"--- /dev/null\n+++ b/n.js\n@@ -0,0 +1,{len(lines)} @@\n" + "".join(f"+{line}" for line in lines)
    (folder / "x.patch").write_text(whole)
    (said,) = reviewed("x.patch")["findings"]
    assert (said["start_line"], said["source"]["rule"]) == (7, "reach:copy")
