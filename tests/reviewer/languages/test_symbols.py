"""What texts define, use and import, language by language."""

from __future__ import annotations

import json

import pytest

from hunkwise.reviewer.languages.symbols.read import LONGEST_TEXT, answer, language_of, symbols
from hunkwise.reviewer.languages.symbols.values import Mention, Symbol, Symbols, unpacked

TEXTS = {
    "python": """
from .a.b import c as d, e
import x.y as z
class A(B, metaclass=M):
    K = 1
    @staticmethod
    async def f(a: int, b=2, *args, c, d="x", **kw) -> int:
        q = a
        q(1)
        return a, b
    def g(self, a, /, *, k):
        return None
f(1, *a, k=2, **kw)
z.b().c(1)
""",
    "typescript": """
import d, { n as a, m } from "./m";
import * as ns from "m";
export { x } from "./z";
const { r, s: t } = require("x");
export async function foo(a: string, b?: number, c = 1, ...rest: any[]): Promise<void> {}
const q = async (a, {b}) => { b(1); };
class A extends B<C> implements I { static m(a: string): void {} x = 1; }
interface I extends K { foo(a: string): void; }
enum E { A = 1, B }
f.g<string>(1, ...x); new Foo(1); o?.m(2);
exports.bar = function (a) {};
""",
    "go": """
package p
import ("fmt"; x "a/b")
const A, B = 1, 2
type (
 S struct { X int }
 I interface { M(a int) error }
)
func F[T any](a, b int, c ...string) (int, error) { q := 1; q(2); return x.N(1, b...) }
func (s *S) M(a int) error { return s.x.N(a) }
""",
    "java": """
package a.b; import a.b.C; import static a.b.C.*;
class A<T> extends B<T> implements I { static final int K = 1; A(int x) { super(x); }
 @Override public int m(String a, int... b) { return this.n(a).o(1); } enum E { X, Y(1) } }
class Z { void f() { new A<String>(1); } }
""",
    "cpp": """
#include "x.h"
enum E { A };
struct S : public Base { int x; virtual int m(int a, int b = 2) const = 0; };
int f(int a, ...);
int S::m(int a, int b) const { return ns::f<int>(1, s->q(2)); }
namespace n { template <class T> T h(T a) { int z = 3; z(1); return new S(1); } }
""",
    "c": "#define M(a) a\nstatic int *g(void) { return s->m(1, 2); }\nenum e { A, B };\n",
    "rust": """
use a::b::{c, d as e}; use x::*;
pub const K: u8 = 1;
enum E { A, B(u8) }
trait T: U { fn m(&self, a: u8) -> u8; }
impl<X> T for S<X> { async fn m(&self, a: u8) -> u8 { self.x.n(1); Self::q(2); f::<u8>(1) } }
fn f(a: u8, (b, c): (u8, u8)) {}
""",
    "ruby": 'require "x"\nclass A < B\n  def m(a, b = 1, *c, d:, e: 2)\n    foo.bar(1, k: 2)\n  end\nend\n',
    "php": "<?php use A\\B as C; class X extends Y { function m($a, $b = 2, ...$c) { return $this->n($a); } }",
    "csharp": 'using A.B; class X : Y { int M(int a, string b = "x", params int[] c) { return a?.N(1); } }',
    "kotlin": 'import a.b.C as D\nclass X {\n  fun m(a: Int, b: String = "x"): Int { return this.n(a) }\n}\n',
}


def sign(symbol: Symbol) -> str:
    """Put a symbol on a line, as the tables below have it."""
    signs = {"rest": "*", "keywords": "**", "keyword": "=", "positional": "/", "plain": ""}
    given = [
        signs[p.kind] + p.name + ("" if p.default is None else f"?{p.default}") for p in symbol.parameters
    ]
    bases = f" < {' '.join(symbol.bases)}" if symbol.bases else ""
    held = f"({', '.join(given)})" if symbol.kind in ("function", "method") else ""
    return f"{symbol.kind} {symbol.qualified}{held}{bases}"


def call(use: Mention) -> str:
    """Put a call on a line."""
    said = f"{use.receiver}|" if use.receiver else ""
    return f"{'new ' if use.new else ''}{said}{use.name}({', '.join(use.arguments or ())}) in {use.inside or '-'}"


DEFINED = {
    "python": [
        "class A < B",
        "member A.K",
        'method A.f(a, b?2, *args, =c, =d?"x", **kw)',
        "method A.g(/a, =k)",
    ],
    "typescript": [
        "function foo(a, b?undefined, c?1, *rest)",
        "function q(a, )",
        "class A < B I",
        "method A.m(a)",
        "member A.x",
        "type I < K",
        "method I.foo(a)",
        "type E",
        "member E.A",
        "member E.B",
        "function bar(a)",
    ],
    "go": [
        "constant A",
        "constant B",
        "type S",
        "member S.X",
        "type I",
        "method I.M(a)",
        "function F(a, b, *c)",
        "method S.M(a)",
    ],
    "java": [
        "class A < B I",
        "member A.K",
        "method A.A(x)",
        "method A.m(a, *b)",
        "type A.E",
        "member A.E.X",
        "member A.E.Y",
        "class Z",
        "method Z.f()",
    ],
    "cpp": [
        "type E",
        "member E.A",
        "class S < Base",
        "member S.x",
        "method S.m(a, b?2)",
        "function f(a, *)",
        "method S.m(a, b)",
        "function n.h(a)",
    ],
    "c": ["function M(a)", "function g()", "type e", "member e.A", "member e.B"],
    "rust": [
        "constant K",
        "type E",
        "member E.A",
        "member E.B",
        "type T < U",
        "method T.m(a)",
        "method S.m(a)",
        "function f(a, )",
    ],
    "ruby": ["class A < B", "method A.m(a, b?1, *c, =d, =e?2)"],
    "php": ["class X < Y", "method X.m(a, b?2, *c)"],
    "csharp": ["class X < Y", 'method X.M(a, b?"x", *c)'],
    "kotlin": ["class X", 'method X.m(a, b?"x")'],
}
CALLED = {
    "python": ["f(1, *a, k=2, **kw) in -", "z|b() in -", "z.b()|c(1) in -"],
    "typescript": ["f|g(1, ...x) in -", "new Foo(1) in -", "o|m(2) in -"],
    "go": ["x|N(1, b...) in F", "s.x|N(a) in S.M"],
    "java": ["this|n(a) in A.m", "this.n(a)|o(1) in A.m", "new A(1) in Z.f"],
    "cpp": ["ns|f(1, s->q(2)) in S.m", "s|q(2) in S.m", "new S(1) in n.h"],
    "c": ["s|m(1, 2) in g"],
    "rust": ["self.x|n(1) in S.m", "Self|q(2) in S.m", "f(1) in S.m"],
    "ruby": ["foo|bar(1, k: 2) in A.m"],
    "php": ["$this|n($a) in X.m"],
    "csharp": ["a|N(1) in X.M"],
    "kotlin": ["this|n(a) in X.m"],
}
IMPORTED = {
    "python": [".a.b c d", ".a.b e e", "x.y  z"],
    "typescript": ["./m n a", "./m m m", "./m default d", "m  ns", "./z x ", "x r r", "x s t"],
    "go": ["fmt  fmt", "a/b  x"],
    "java": ["a.b C C", "a.b.C * "],
    "cpp": ["x.h * "],
    "c": [],
    "rust": ["a::b c c", "a::b d e", "x * "],
    "ruby": ["x * "],
    "php": ["A B C"],
    "csharp": ["A B B"],
    "kotlin": ["a.b C D"],
}


@pytest.fixture(scope="module")
def read() -> dict[str, Symbols]:
    """Read all texts."""
    return {language: answer((language, text)) for language, text in TEXTS.items()}


@pytest.mark.parametrize("language", TEXTS)
def test_languages(language: str, read: dict[str, Symbols]) -> None:
    """Definitions with their parameters, calls with their arguments, imports."""
    found = read[language]
    assert found.sure
    assert [sign(one) for one in found.definitions] == DEFINED[language]
    assert [call(one) for one in found.uses if one.arguments is not None] == CALLED[language]
    assert [f"{one.module} {one.name} {one.alias}" for one in found.imports] == IMPORTED[language]


def test_facts(read: dict[str, Symbols]) -> None:
    """Lines, decorators, heads, results and receivers; what is local is no use."""
    _, constant, first, second = read["python"].definitions
    assert (constant.line, first.start, first.line, first.end) == (5, 6, 7, 10)
    assert first.marks == ("@staticmethod", "async", "def")
    assert first.results == ("tuple:2",)
    assert first.type == "int"
    assert second.head == "def g(self, a, /, *, k):"
    assert second.results == ("none",)
    assert (first.receiver, second.receiver) == (False, True)
    uses = {(one.name, one.inside) for one in read["python"].uses}
    assert ("B", "A") in uses
    assert ("q", "A.f") not in uses
    assert TEXTS["python"][first.at :].startswith("f(a: int")


def test_process() -> None:
    """The child gives the same values; what it can't read is None or unsure, and nothing is raised."""
    text = TEXTS["python"]
    assert symbols("python", text) == answer(("python", text))
    assert unpacked(json.loads(json.dumps(answer(("go", TEXTS["go"]))))) == answer(("go", TEXTS["go"]))
    assert symbols("python", "x" * (LONGEST_TEXT + 1)) is None
    assert not answer(("python", "def f(:\n  ]]")).sure
    assert answer(("python", "")) == Symbols()


@pytest.mark.parametrize(
    ("path", "language"),
    [("a/b.py", "python"), ("a.tsx", "tsx"), ("x.c", "c"), ("x.h", "cpp"), ("x.md", ""), ("Makefile", "")],
)
def test_names_of_files(path: str, language: str) -> None:
    """The suffix tells the grammar."""
    assert language_of(path) == language
