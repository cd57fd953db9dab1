"""Says where a file is not written in a language: parse.py LANGUAGE FILE."""

import sys

from tree_sitter_language_pack import get_parser


def faults(node):
    if node.is_error or node.is_missing:
        yield node
    for child in node.children:
        yield from faults(child)


language, name = sys.argv[1:]
with open(name, "rb") as file:
    tree = get_parser(language).parse(file.read())
for fault in faults(tree.root_node):
    line, column = fault.start_point
    print(f"{name}:{line + 1}:{column + 1}: no {language}", file=sys.stderr)
sys.exit(tree.root_node.has_error)
