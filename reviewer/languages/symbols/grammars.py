"""What the walker (read.py) has to know of each language: which kinds of nodes define, call, bind and name."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field, fields, replace
from functools import cache

from hunkwise.reviewer.languages.symbols.values import SymbolKind
from hunkwise.reviewer.languages.syntax import Refused, find, tree


@dataclass(frozen=True, slots=True)
class Grammar:
    """A language. Sets and keys hold kinds of nodes, several in a text with blanks between them."""

    defines: Mapping[SymbolKind, str]  # a function within a class is a method
    names: str  # leaves that name something
    calls: str
    functions: str = ""  # those without a name, which hold names of their own
    scopes: str = ""  # what gives its name to those in it, and defines nothing (`impl` of Rust)
    binds: Mapping[str, str] = field(default_factory=dict)  # what makes local names: the field with them
    wrappers: str = ""  # what stands around a definition and belongs to it
    parameters: str = "parameters"  # field, or kind, of what holds them
    bases: str = ""  # fields, or kinds of children, that name what a class extends
    rests: str = ""
    keywords: str = ""
    given: str = "arguments"  # field, or kind, of what holds the arguments of a call
    keyed: str = ""  # kinds whose first child names an argument or a key
    returns: str = ""
    result: str = "return_type"  # field of the type that a function gives back
    news: str = ""  # calls that make an object
    patterns: str = "shorthand_property_identifier_pattern"  # names within patterns, beside `names`


_PYTHON = Grammar(
    defines={"function": "function_definition", "class": "class_definition", "constant": "assignment"},
    names="identifier",
    calls="call",
    functions="lambda",
    binds={
        "assignment": "left",
        "augmented_assignment": "left",
        "for_statement": "left",
        "for_in_clause": "left",
        "as_pattern_target": "",
        "named_expression": "name",
    },
    wrappers="decorated_definition",
    bases="superclasses",
    keyed="keyword_argument",
    returns="return_statement yield",
)

_JAVASCRIPT = Grammar(
    defines={
        "function": "function_declaration generator_function_declaration function_signature",
        "method": "method_definition method_signature abstract_method_signature pair",
        "class": "class_declaration class abstract_class_declaration",
        "type": "interface_declaration type_alias_declaration enum_declaration",
        "constant": "variable_declarator assignment_expression",
        "member": "public_field_definition property_signature enum_assignment field_definition",
    },
    names="identifier property_identifier type_identifier shorthand_property_identifier"
    " private_property_identifier",
    calls="call_expression new_expression",
    functions="arrow_function function_expression generator_function",
    binds={"variable_declarator": "name", "for_in_statement": "left", "catch_clause": "parameter"},
    wrappers="export_statement lexical_declaration variable_declaration",
    bases="class_heritage extends_type_clause",
    rests="rest_pattern",
    returns="return_statement yield_expression",
    news="new_expression",
)

_C = Grammar(
    defines={
        "function": "function_definition declaration preproc_function_def",
        "class": "struct_specifier union_specifier",
        "type": "enum_specifier type_definition",
        "constant": "preproc_def",
        "member": "enumerator field_declaration",
    },
    names="identifier field_identifier type_identifier",
    calls="call_expression",
    binds={"declaration": "declarator"},
    parameters="parameters",
    rests="variadic_parameter",
    result="type",
)

GRAMMARS: Mapping[str, Grammar] = {
    "python": _PYTHON,
    "javascript": _JAVASCRIPT,
    "typescript": _JAVASCRIPT,
    "tsx": _JAVASCRIPT,
    "go": Grammar(
        defines={
            "function": "function_declaration",
            "method": "method_declaration method_elem",
            "type": "type_spec type_alias",
            "constant": "const_spec var_spec",
            "member": "field_declaration",
        },
        names="identifier field_identifier type_identifier",
        calls="call_expression",
        functions="func_literal",
        binds={
            "short_var_declaration": "left",
            "range_clause": "left",
            "var_spec": "name",
            "const_spec": "name",
        },
        wrappers="type_declaration",
        rests="variadic_parameter_declaration",
        keyed="keyed_element",
        result="result",
    ),
    "java": Grammar(
        defines={
            "method": "method_declaration constructor_declaration",
            "class": "class_declaration record_declaration",
            "type": "interface_declaration enum_declaration annotation_type_declaration",
            "member": "field_declaration enum_constant",
        },
        names="identifier type_identifier",
        calls="method_invocation object_creation_expression",
        functions="lambda_expression",
        binds={"local_variable_declaration": "declarator", "enhanced_for_statement": "name"},
        bases="superclass super_interfaces extends_interfaces",
        rests="spread_parameter",
        news="object_creation_expression",
        result="type",
    ),
    "c": _C,
    "cpp": replace(
        _C,
        defines={
            **_C.defines,
            "class": "struct_specifier union_specifier class_specifier",
            "type": "enum_specifier type_definition alias_declaration",
        },
        names="identifier field_identifier type_identifier namespace_identifier",
        calls="call_expression new_expression",
        functions="lambda_expression",
        binds={"declaration": "declarator", "for_range_loop": "declarator"},
        wrappers="template_declaration",
        bases="base_class_clause",
        scopes="namespace_definition",
        news="new_expression",
    ),
    "rust": Grammar(
        defines={
            "function": "function_item function_signature_item macro_definition",
            "class": "struct_item union_item",
            "type": "enum_item trait_item type_item",
            "constant": "const_item static_item",
            "member": "enum_variant field_declaration",
        },
        names="identifier field_identifier type_identifier",
        calls="call_expression",
        functions="closure_expression",
        scopes="impl_item mod_item",
        binds={"let_declaration": "pattern", "for_expression": "pattern", "match_pattern": ""},
        bases="trait_bounds",
    ),
    "ruby": Grammar(
        defines={
            "method": "method singleton_method",
            "class": "class",
            "type": "module",
            "constant": "assignment",
        },
        names="identifier constant",
        calls="call",
        functions="lambda block do_block",
        binds={"assignment": "left", "operator_assignment": "left"},
        bases="superclass",
        rests="splat_parameter",
        keywords="hash_splat_parameter",
    ),
    "php": Grammar(
        defines={
            "function": "function_definition",
            "method": "method_declaration",
            "class": "class_declaration",
            "type": "interface_declaration trait_declaration enum_declaration",
            "constant": "const_element",
            "member": "property_element enum_case",
        },
        names="name",
        calls="function_call_expression member_call_expression scoped_call_expression object_creation_expression"
        " nullsafe_member_call_expression",
        functions="anonymous_function arrow_function",
        bases="base_clause class_interface_clause",
        rests="variadic_parameter",
        news="object_creation_expression",
    ),
    "csharp": Grammar(
        defines={
            "method": "method_declaration constructor_declaration local_function_statement",
            "class": "class_declaration struct_declaration record_declaration",
            "type": "interface_declaration enum_declaration delegate_declaration",
            "member": "field_declaration enum_member_declaration property_declaration",
        },
        names="identifier",
        calls="invocation_expression object_creation_expression",
        functions="lambda_expression anonymous_method_expression",
        binds={"local_declaration_statement": ""},
        bases="base_list",
        news="object_creation_expression",
        result="returns",
    ),
    "kotlin": Grammar(
        defines={
            "function": "function_declaration",
            "class": "class_declaration object_declaration",
            "member": "property_declaration enum_entry",
        },
        names="simple_identifier type_identifier",
        calls="call_expression",
        functions="lambda_literal anonymous_function",
        parameters="function_value_parameters",
        bases="delegation_specifier",
        given="value_arguments",
    ),
}


_OF_NODES = ("names", "calls", "functions", "scopes", "wrappers", "keyed", "returns", "news", "patterns")


@cache
def grammar(language: str) -> Grammar:
    """Give what is known of a language, without kinds of nodes that its sister alone has (TypeScript, C++)."""
    table = GRAMMARS[language]
    kept = {each.name: getattr(table, each.name) for each in fields(table)}
    kept |= {name: _known(language, kept[name]) for name in _OF_NODES}
    kept["defines"] = {kind: _known(language, kinds) for kind, kinds in table.defines.items()}
    kept["binds"] = {kind: held for kind, held in table.binds.items() if _known(language, kind)}
    return Grammar(**kept)


def _known(language: str, kinds: str) -> str:
    root = tree(language, "")
    known = []
    for kind in kinds.split():
        with suppress(Refused):
            find(root, {"rule": {"kind": kind}})
            known.append(kind)
    return " ".join(known)
