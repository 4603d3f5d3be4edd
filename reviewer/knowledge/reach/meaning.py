"""Whether a use of a name means one definition and no other: told where the tree decides it, by language."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator

from hunkwise.reviewer.knowledge.reach.definitions import Changed
from hunkwise.reviewer.knowledge.reach.modules import (
    SCRIPTS,
    go_aliases,
    is_rust_module,
    is_test,
    module_file,
    origin,
)
from hunkwise.reviewer.knowledge.reach.world import World
from hunkwise.reviewer.languages.symbols.values import Import, Mention, Symbol, Symbols

_SELVES = ("self", "this", "cls", "Self", "super()", "super")
CONSTRUCTORS = ("__init__", "constructor")
_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")
# Names of what may have parts of any name: options, rows, what was parsed.
_LOOSE = (
    "args", "arguments", "data", "event", "item", "json", "namespace", "obj", "options", "opts", "params",
    "parsed", "payload", "record", "resp", "response", "result", "row",
)  # fmt: skip
# What gives a class parts that its text doesn't show.
_GENEROUS = {
    "python": re.compile(r"\bdef __getattr(?:ibute)?__\b"),
    "java": re.compile(r"\blombok\b"),
    "go": re.compile(r"^\t\*?(?!sync\.)\w+\.\w+[ \t]*(?:`.*)?$", re.MULTILINE),
    "rust": re.compile(r"\bDeref\b"),
}
_OPEN_BASES = (
    "object", "ABC", "abc.ABC", "Protocol", "Generic", "NamedTuple", "BaseModel", "BaseSettings", "Exception",
)  # fmt: skip


def is_constructor(target: Changed) -> bool:
    """Tell whether a method is called by the name of its class."""
    return target.old.name in (*CONSTRUCTORS, target.holder)


def called_name(target: Changed) -> str:
    """Give the name that a definition is called by."""
    return target.holder if is_constructor(target) else target.old.name


def means(world: World, target: Changed, path: str, use: Mention, found: Symbols, unique: bool) -> bool:
    """Tell whether a use in a file means the definition. `unique`: nothing else in the repository has its name."""
    if is_constructor(target):
        if use.receiver == "super()" and use.name == target.old.name:
            return _only_base(world, target, path, use, found)
        own = path == target.path and any(each.qualified == use.name for each in found.definitions)
        return use.name == target.holder and _is_top(world, target, path, use, found, own)
    if target.holder:
        return use.name == target.old.name and _is_method(world, target, path, use, found, unique)
    return _is_top(world, target, path, use, found, path == target.path or unique)


def _is_top(world: World, target: Changed, path: str, use: Mention, found: Symbols, known: bool) -> bool:
    name, language = called_name(target), target.language
    if language == "python" or language in SCRIPTS:
        if path == target.path:
            return use.name == name and not use.receiver
        return any(_imports(world, target, path, one, use) for one in found.imports)
    if use.name != name or not known:
        return False
    if language == "go":
        return use.receiver in go_aliases(world, path, found, posixpath.dirname(target.path))
    if language == "rust":
        return (path == target.path and not use.receiver) or _is_of_rust(target, path, use, found)
    if language == "java":
        return not use.receiver and use.new and (path == target.path or _sees_class(target, path, found))
    return not use.receiver and language in ("c", "cpp")


def _imports(world: World, target: Changed, path: str, one: Import, use: Mention) -> bool:
    """Tell whether an import brings the definition in, under the name or the module's name of a use."""
    name = called_name(target)
    if not use.receiver:
        if one.alias != use.name or one.name not in (name, "default"):
            return False
        if one.name == "default":
            return "default" in target.old.marks and origin(world, path, one.module, "default") == (
                target.path,
                "default",
            )
        return origin(world, path, one.module, name, target.path) == (target.path, name)
    if use.name != name or use.receiver != one.alias:
        return False
    return origin(world, path, one.module, one.name) == (target.path, "")


def brings(world: World, target: Changed, path: str, found: Symbols) -> Iterator[Import]:
    """Give the imports of a file that name the definition itself."""
    for one in found.imports:
        named = one.name == target.old.name
        if named and origin(world, path, one.module, one.name, target.path) == (target.path, one.name):
            yield one


def _only_base(world: World, target: Changed, path: str, use: Mention, found: Symbols) -> bool:
    """Tell whether `super()` is the class of the definition: the only base of the class around the use."""
    holder = _class_around(use, found)
    if holder is None or len(holder.bases) != 1:
        return False
    base = Mention(holder.bases[0].rpartition(".")[2], 0, 0, receiver=holder.bases[0].rpartition(".")[0])
    return _is_top(world, target, path, base, found, known=path == target.path)


def _is_method(world: World, target: Changed, path: str, use: Mention, found: Symbols, unique: bool) -> bool:
    within = f"{use.inside}.".startswith(target.old.qualified.rpartition(".")[0] + ".")
    if path == target.path and within:
        plain = target.language in ("java", "cpp") and not use.receiver
        return use.receiver in _SELVES[:4] or plain
    if target.language in ("python", "java", *SCRIPTS) and _is_sure(world, target, path, use, found):
        return True
    return unique and is_of_class(world, target, path, use, found)


def _is_sure(world: World, target: Changed, path: str, use: Mention, found: Symbols) -> bool:
    """Tell whether a use is of the class by its name, or of an object that is made or declared as one."""
    last = _last(use.receiver)
    named = last == target.holder or _is_made(world, target, path, use, last, found)
    return named and (path == target.path or knows_class(world, target, path, found))


def is_of_class(world: World, target: Changed, path: str, use: Mention, found: Symbols) -> bool:
    """Tell whether a use outside of a class is of its part, where no other class has one of that name."""
    if not use.receiver:
        return False
    known = path == target.path or knows_class(world, target, path, found)
    if use.receiver in _SELVES:
        holder = _class_around(use, found)
        bases = [base.rpartition(".")[2] for base in holder.bases] if holder is not None else []
        return bool(bases) and ((known and target.holder in bases) or _is_telling(world, target, path))
    if _is_sure(world, target, path, use, found):
        return True
    last = _last(use.receiver)
    alike = set(_words(last)) <= set(_words(target.holder)) and len(last) > 2
    few = len(_words(target.old.name)) < (1 if known and alike else 2 if known or alike else 3)
    loose = target.old.kind == "member" and last in _LOOSE and not alike
    return not few and not loose and _is_own(world, target, path)


def _is_telling(world: World, target: Changed, path: str) -> bool:
    return len(_words(target.old.name)) > 1 and _is_own(world, target, path)


def _last(receiver: str) -> str:
    """Give the last name of what stands before a member: "c" of "a.b->c"."""
    return re.split(r"\.|::|->", receiver)[-1]


def _words(name: str) -> list[str]:
    """Split a name into the words that it is made of."""
    return [word.lower() for word in _WORD.findall(name)]


def _is_own(world: World, target: Changed, path: str) -> bool:
    """Tell whether a class can be met in a file, and has its parts from no package outside of the repository."""
    home = world.symbols(target.path)
    around, holder = holder_of(world, target)
    loose = target.language in ("go", "rust", "cpp")
    if home is None or "." in around or (is_test(target.path) and not is_test(path)) or not (holder or loose):
        return False
    generous = _GENEROUS.get(target.language)
    if generous is not None and generous.search(world.text(target.path) or ""):
        return False
    ours = {each.name for each in home.definitions}
    ours |= {one.alias for one in home.imports if module_file(world, target.path, one.module) is not None}
    return all(
        base in (*ours, *_OPEN_BASES) or base.partition(".")[0] in ours
        for base in (holder.bases if holder is not None else ())
    )


def holder_of(world: World, target: Changed) -> tuple[str, Symbol | None]:
    """Give the qualified name of what a definition stood in, and that itself as it is now, if it is there."""
    home = world.symbols(target.path)
    around = target.old.qualified.rpartition(".")[0]
    holder = next((each for each in home.definitions if each.qualified == around), None) if home else None
    return around, holder


def _class_around(use: Mention, found: Symbols) -> Symbol | None:
    """Give the innermost class that a use stands in."""
    around = use.inside
    while around:
        around = around.rpartition(".")[0]
        for each in found.definitions:
            if each.qualified == around and each.kind == "class":
                return each
    return None


def knows_class(world: World, target: Changed, path: str, found: Symbols) -> bool:
    """Tell whether a file sees the class that a definition is in."""
    if target.language == "python" or target.language in SCRIPTS:
        whole = target.old._replace(name=target.holder, qualified=target.holder)
        named = Changed(target.path, target.language, whole, None)
        return any(_imports(world, named, path, one, Mention(target.holder, 0, 0)) for one in found.imports)
    if target.language == "java":
        return _sees_class(target, path, found)
    if target.language == "go":
        return bool(go_aliases(world, path, found, posixpath.dirname(target.path)))
    return target.language in ("rust", "cpp")


def overrides(world: World, target: Changed, path: str, method: Symbol, found: Symbols) -> bool:
    """Tell whether a method with the name of the definition is in a class that extends its class."""
    around = method.qualified.rpartition(".")[0]
    if target.language in ("go", "rust"):
        text, known = world.text(path) or "", path == target.path or knows_class(world, target, path, found)
        return known and around != target.holder and _implements(target, text, method, around)
    holders = [each for each in found.definitions if each.qualified == around]
    if len(holders) != 1 or holders[0].kind not in ("class", "type"):
        return False
    if sum(each.qualified == method.qualified for each in found.definitions) != 1:
        return False  # overloads
    bases = [base for base in holders[0].bases if re.split(r"[.:\\]+", base)[-1] == target.holder]
    return bool(bases) and (path == target.path or knows_class(world, target, path, found))


def _implements(target: Changed, text: str, method: Symbol, holder: str) -> bool:
    """Tell whether a text says that a type has what an interface of Go, or a trait of Rust, asks for."""
    wanted, own = re.escape(target.holder), re.escape(holder.rpartition(".")[2])
    if target.language == "go":
        said = rf"\bvar\s+_\s+(?:\w+\.)?{wanted}\s*=\s*(?:\(\*{own}\)\(nil\)|&?{own}\{{|new\({own}\))"
        return re.search(said, text) is not None
    above = re.findall(r"^[ \t]*(?:unsafe )?impl\b[^{;]*\{", text[: method.at], re.MULTILINE)
    return bool(above) and re.search(rf"\b{wanted}\b(?:<[^{{]*>)?\s+for\b", above[-1]) is not None


def _is_made(world: World, target: Changed, path: str, use: Mention, receiver: str, found: Symbols) -> bool:
    """Tell whether a name is set to an object of the class around a use; else wherever its file sets it."""
    if not re.fullmatch(r"[A-Za-z_]\w*", receiver):
        return False
    text, kind = world.text(path) or "", re.escape(target.holder)
    made = rf"(?:=|:=)\s*&?(?:await\s+|new\s+)?(?:\w+\.)?{kind}\b\s*(?:<[^<>\n]*>)?\s*[({{]"
    typed = rf"(?::\s*(?:\w+\.)?{kind}\b|\s+\*?(?:\w+\.)?{kind}\b(?=\s*[,)]))"
    good = re.compile(rf"\b{receiver}\s*(?:{made}|{typed})|\b{kind}(?:<[^<>\n]*>)?\s+{receiver}\s*[;=,)]")
    every = re.compile(
        rf"\b{receiver}\s*(?::?=(?!=|\s*{receiver}\b)|:\s*\w)|\b[A-Za-z_]\w*(?:<[^<>\n]*>)?\s+{receiver}\s*[;=,)]"
        + (rf"|[(,]\s*{receiver}\s+[*\w.]+(?=[,)])" if target.language == "go" else "")
    )
    lines = text.split("\n")
    around = [
        each
        for each in found.definitions
        if each.qualified == use.inside and each.start <= use.line <= each.end
    ]
    for part in (*("\n".join(lines[each.start - 1 : each.end]) for each in around), text):
        right, all_of = {one.start() for one in good.finditer(part)}, [0 for _ in every.finditer(part)]
        if right or all_of:
            return bool(right) and len(right) >= len(all_of)
    return False


def _is_of_rust(target: Changed, path: str, use: Mention, found: Symbols) -> bool:
    """Tell whether a path of Rust ends in the file of the definition."""
    if use.receiver:
        return is_rust_module(path, use.receiver, target.path) or any(
            one.alias == use.receiver and is_rust_module(path, f"{one.module}::{one.name}", target.path)
            for one in found.imports
        )
    return any(
        one.alias == use.name and is_rust_module(path, one.module, target.path) for one in found.imports
    )


def _sees_class(target: Changed, path: str, found: Symbols) -> bool:
    """Tell whether a file of Java sees the class of the definition: by its package, or by an import."""
    module = target.path.removesuffix(".java").replace("/", ".")
    if posixpath.dirname(path) == posixpath.dirname(target.path):
        return True
    return any(f".{module}".endswith(f".{one.module}.{one.name}") for one in found.imports)
