"""Go: what needs more than one place of a file to be told."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from hunkwise.reviewer.languages.syntax import of_kind

if TYPE_CHECKING:
    from ast_grep_py import SgNode

    from hunkwise.reviewer.checks.functions import Found

_LEAVES = re.compile(
    r"\b(return|panic|continue|break|goto|os\.Exit|runtime\.Goexit|\w*[Ff]atal\w*|Skip\w*|FailNow|Exit|Must\w*|require)\b"
)
_CODES = re.compile(
    r"(json|xml|yaml|toml|bson|msgpack)\.(Marshal|MarshalIndent|Unmarshal)"
    r"|.*\b(json|xml|yaml|gob|toml)\.New(En|De)coder\(.*\)\.(En|De)code"
)
_FUNCTIONS = ("function_declaration", "method_declaration")

# Interfaces of the standard library, and some whose methods they include
_WIDER = {
    "io.Reader": (
        "io.ReadCloser io.ReadWriter io.ReadWriteCloser io.ReadSeeker io.ReadSeekCloser "
        "io.ReadWriteSeeker net.Conn *os.File *bytes.Buffer *bytes.Reader *strings.Reader "
        "*bufio.Reader"
    ),
    "io.Writer": (
        "io.WriteCloser io.ReadWriter io.ReadWriteCloser io.WriteSeeker io.ReadWriteSeeker "
        "net.Conn *os.File *bytes.Buffer *bufio.Writer *strings.Builder "
        "http.ResponseWriter"
    ),
    "io.Closer": (
        "io.ReadCloser io.WriteCloser io.ReadWriteCloser io.ReadSeekCloser net.Conn net.Listener *os.File"
    ),
    "io.Seeker": ("io.ReadSeeker io.WriteSeeker io.ReadWriteSeeker io.ReadSeekCloser *os.File"),
    "io.ReadCloser": "io.ReadWriteCloser io.ReadSeekCloser net.Conn *os.File",
    "io.WriteCloser": "io.ReadWriteCloser net.Conn *os.File",
    "io.ReadWriter": "io.ReadWriteCloser io.ReadWriteSeeker net.Conn *os.File *bytes.Buffer",
    "io.ReadSeeker": ("io.ReadSeekCloser io.ReadWriteSeeker *os.File *bytes.Reader *strings.Reader"),
    "net.Conn": "*net.TCPConn *net.UDPConn *net.UnixConn *tls.Conn",
    "error": (
        "net.Error *os.PathError *fs.PathError *os.SyscallError *os.LinkError *net.OpError "
        "*net.DNSError *url.Error *json.SyntaxError *json.UnmarshalTypeError "
        "*exec.ExitError *exec.Error syscall.Errno *strconv.NumError"
    ),
    "net.Error": "*net.OpError *net.DNSError *url.Error",
    "fmt.Stringer": (
        "time.Time time.Duration *url.URL net.IP *big.Int reflect.Value *bytes.Buffer *strings.Builder"
    ),
}


def _named(node: SgNode) -> list[SgNode]:
    return [part for part in node.children() if part.is_named() and part.kind() != "comment"]


def unreachable_type_case(root: SgNode, language: str) -> Found:
    """Find cases of a type switch that an earlier case takes all of."""
    interfaces = dict(_interfaces(root))
    for switch in of_kind(root, "type_switch_statement"):
        earlier: list[SgNode] = []
        for case in switch.children():
            if case.kind() != "type_case":
                continue
            types = [part for part in _named(case) if part.kind().endswith(("_type", "type_identifier"))]
            for one in types:
                wider = next((old for old in earlier if _takes(old.text(), one.text(), interfaces)), None)
                if wider is not None:
                    yield one, {"TYPE": one, "EARLIER": wider}
            earlier += types


def _takes(old: str, new: str, interfaces: Mapping[str, frozenset[str]]) -> bool:
    if old in ("any", "interface{}") and new != old:
        return new != "nil"
    if old in interfaces and new in interfaces and old != new:
        return bool(interfaces[old]) and interfaces[old] <= interfaces[new]
    seen, left = {old}, [old]
    while left:
        for each in _WIDER.get(left.pop(), "").split():
            if each not in seen:
                seen.add(each)
                left.append(each)
    return new != old and new in seen


def _interfaces(root: SgNode) -> Iterator[tuple[str, frozenset[str]]]:
    """Give the methods of the file's own interfaces that embed nothing."""
    for spec in of_kind(root, "type_spec"):
        kind = spec.field("type")
        if kind is not None and kind.kind() == "interface_type":
            methods = [part for part in _named(kind) if part.kind() in ("method_elem", "method_spec")]
            if methods and len(methods) == len(_named(kind)):
                name = spec.field("name")
                if name is not None:
                    yield name.text(), frozenset(" ".join(method.text().split()) for method in methods)


def used_after_nil_check(root: SgNode, language: str) -> Found:
    """Find a pointer that is found nil, without leaving, and then followed."""
    for check in of_kind(root, "if_statement"):
        condition, body = check.field("condition"), check.field("consequence")
        if condition is None or body is None or check.field("alternative") is not None:
            continue
        found = re.fullmatch(r"(\w+) == nil", condition.text())
        name = found[1] if found else ""
        if (
            not name
            or _LEAVES.search(body.text())
            or re.search(rf"(\b{name}\b[\w, ]*=[^=])|&{name}\b", body.text())
        ):
            continue
        for later in check.next_all():
            if re.search(rf"(\b{name}\b[\w, ]*:?=[^=])|&{name}\b|\b{name} [!=]= nil", later.text()):
                break
            use = _followed(later, name)
            if use is not None:
                yield use, {"X": condition}
                break


def _followed(statement: SgNode, name: str) -> SgNode | None:
    for use in of_kind(statement, "selector_expression"):
        operand, holder = use.field("operand"), use.parent()
        if operand is None or operand.text() != name or holder is None:
            continue
        called = holder.kind() == "call_expression" and holder.field("function") == use
        if not called or use.text() in ("err.Error", "e.Error"):
            return use
    return None


def unexported_fields_encoded(root: SgNode, language: str) -> Found:
    """Find values of structs without one exported field that are given to an encoder."""
    hidden = dict(_hidden(root))
    for call in of_kind(root, "call_expression") if hidden else ():
        function, arguments = call.field("function"), call.field("arguments")
        if function is None or arguments is None:
            continue
        if not _CODES.fullmatch(function.text()):
            continue
        values = _named(arguments)
        value = values[-1 if "nmarshal" in function.text() else 0] if values else None
        if value is not None and (spec := hidden.get(_type_of(value, call))):
            yield call, {"TYPE": spec}


def _hidden(root: SgNode) -> Iterator[tuple[str, SgNode]]:
    methods = " ".join(
        each.text() for method in of_kind(root, "method_declaration") if (each := method.field("receiver"))
        and re.search(r"Marshal|Encode|Decode", method.text().partition("{")[0])
    )  # fmt: skip
    for spec in of_kind(root, "type_spec"):
        name, kind = spec.field("name"), spec.field("type")
        if name is None or kind is None or kind.kind() != "struct_type":
            continue
        fields = of_kind(kind, "field_declaration")
        words = [
            part.text() for field in fields for part in field.children() if part.kind() == "field_identifier"
        ]
        plain = all(any(part.kind() == "field_identifier" for part in field.children()) for field in fields)
        small = words and plain and not any(word[0].isupper() for word in words)
        if small and not re.search(rf"\b{name.text()}\b", methods):
            yield name.text(), name


def _type_of(value: SgNode, call: SgNode) -> str:
    """Give the name of a value's type, where the function around it says it."""
    text = value.text().lstrip("&")
    if found := re.match(r"(?:\[\]\*?)?(\w+)\{", text):
        return found[1]
    around = next((each for each in call.ancestors() if each.kind() in _FUNCTIONS), None)
    if around is None or not re.fullmatch(r"\w+", text):
        return ""
    said = re.search(
        rf"\b{text}\b(?: :?= |(?:, \w+)* | = )&?(?:make\()?(?:\[\]|\*|map\[\w+\]|\.\.\.)*(\w+)(?=[{{,)\s])",
        around.text(),
    )
    return said[1] if said else ""


_VERB = re.compile(r"%[-+# 0]*(\[\d+\])?(\*|\d+)?(?:\.(\*|\d+)?)?([a-zA-Z%])?")
_FORMATS = re.compile(
    r"(?:fmt\.(?:(Sprintf|Printf|Errorf)|(Fprintf))|(?:log|t|b|logger|logrus|klog|glog|errors)\.(\w*[a-z]f)|(errors\.(?:Wrapf)))"
)


def format_arguments(root: SgNode, language: str) -> Found:
    """Find formats that ask for more or fewer values than are given."""
    for call in of_kind(root, "call_expression"):
        function, arguments = call.field("function"), call.field("arguments")
        if function is None or arguments is None:
            continue
        kind = _FORMATS.fullmatch(function.text())
        if kind is None:
            continue
        values = _named(arguments)
        first = 1 if kind[2] or function.text() in ("errors.Wrapf", "errors.WithMessagef") else 0
        if len(values) <= first or values[first].kind() not in (
            "interpreted_string_literal",
            "raw_string_literal",
        ):
            continue
        wanted = _wanted(values[first].text())
        given = values[first + 1 :]
        spread = bool(given) and (
            given[-1].kind() == "variadic_argument" or arguments.text().rstrip(" )\n,").endswith("...")
        )
        if wanted is not None and not spread and wanted != len(given):
            yield call, {"FORMAT": values[first]}


def _wanted(text: str) -> int | None:
    """Count the values that a format takes; None where it numbers them."""
    count = 0
    for verb in _VERB.finditer(text):
        if verb[1] or verb[4] is None:
            return None
        count += (verb[4] != "%") + (verb[2] == "*") + (verb[3] == "*")
    return count


def condition_twice(root: SgNode, language: str) -> Found:
    """Find a condition that stands twice in one chain of if and else if."""
    for start in of_kind(root, "if_statement"):
        holder = start.parent()
        if holder is not None and holder.kind() == "if_statement":
            continue
        seen: set[str] = set()
        link: SgNode | None = start
        while link is not None and link.kind() == "if_statement":
            condition = link.field("condition")
            if condition is None or (link.field("initializer") is not None and link is not start):
                break
            text = condition.text()
            if text in seen and "(" not in text and "<-" not in text:
                yield condition, {"CONDITION": condition}
            seen.add(text)
            link = link.field("alternative")


def shared_write_in_goroutines(root: SgNode, language: str) -> Found:
    """Find plain writes to a variable of the function by goroutines that a loop starts."""
    for start in of_kind(root, "go_statement"):
        call = next(iter(_named(start)), None)
        literal = call.field("function") if call is not None and call.kind() == "call_expression" else None
        loop = next(
            (
                each
                for each in start.ancestors()
                if each.kind() in ("for_statement", "func_literal", *_FUNCTIONS)
            ),
            None,
        )
        if (
            literal is None
            or literal.kind() != "func_literal"
            or loop is None
            or loop.kind() != "for_statement"
        ):
            continue
        text = literal.text()
        if re.search(r"Lock\(|atomic\.|<-\s*\w*(sem|lock|mu|token)", text):
            continue
        around = next((each for each in loop.ancestors() if each.kind() in _FUNCTIONS), None)
        for write in (*of_kind(literal, "assignment_statement"), *of_kind(literal, "inc_statement")):
            target = re.match(r"(\w+)(\[[^\]]*\])?\s*(\+\+|\+=|-=|=\s*append\(\1\b|=)", write.text())
            if target is None or around is None:
                continue
            name, index, operator = target[1], target[2], target[3]
            outside = around.text()[: loop.range().start.index - around.range().start.index]
            made = (
                rf"\b{name} :?= (make\(map|map\[|[A-Z]\w*Map)|\bvar {name} map\["
                if index
                else rf"\b{name}(, \w+)* := |\bvar {name}\b"
            )
            if (
                (operator == "=" and not index)
                or not re.search(made, outside)
                or re.search(rf"\b{name}\b(, \w+)* := ", loop.text())
            ):
                continue
            yield write, {"NAME": write}
