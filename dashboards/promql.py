"""Just enough of PromQL to say which metrics an expression names, and with which labels it selects them.

Whether an expression is PromQL at all is promtool's to say; this only takes apart what promtool has let pass.
"""

import re

_TOKEN = re.compile(
    r"""(?P<space>\s+|\#[^\n]*)
      | (?P<string>"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*'|`[^`]*`)
      | (?P<range>\[[^\]]*\])
      | (?P<number>(?:0x[0-9a-fA-F]+|[0-9][0-9a-z.]*(?:e[+-]?[0-9]+)?))
      | (?P<name>[a-zA-Z_:][a-zA-Z0-9_:]*)
      | (?P<sign>=~|!~|!=|==|<=|>=|.)""",
    re.VERBOSE | re.DOTALL)
_LISTS = {"by", "without", "on", "ignoring", "group_left", "group_right"}
_WORDS = {"and", "or", "unless", "bool", "offset", "inf", "nan", "Inf", "NaN", "start", "end", "atan2"} | _LISTS
_AGGREGATIONS = {"sum", "min", "max", "avg", "group", "stddev", "stdvar", "count", "count_values", "bottomk", "topk", "quantile"}


def _tokens(expression):
    found = [(m.lastgroup, m.group()) for m in _TOKEN.finditer(expression)]
    return [token for token in found if token[0] != "space"]


def selectors(expression):
    """[(metric, {labels matched})] of an expression, in order."""
    tokens = _tokens(expression)
    found, i = [], 0
    while i < len(tokens):
        kind, text = tokens[i]
        following = tokens[i + 1][1] if i + 1 < len(tokens) else ""
        if kind == "name" and text in _LISTS and following == "(":
            while tokens[i][1] != ")":  # A list of labels.
                i += 1
        elif kind == "name" and text not in _WORDS and following != "(" and not (text in _AGGREGATIONS and following in _LISTS):
            labels = set()
            if following == "{":
                i += 2
                while tokens[i][1] != "}":
                    if tokens[i][0] == "name":
                        labels.add(tokens[i][1])
                    i += 1
            found.append((text, labels))
        i += 1
    return found


def aggregations(expression):
    """Label names that by, without, on, ignoring, group_left and group_right list."""
    tokens = _tokens(expression)
    found = set()
    for i, (kind, text) in enumerate(tokens):
        if kind == "name" and text in _LISTS and i + 1 < len(tokens) and tokens[i + 1][1] == "(":
            for kind2, text2 in tokens[i + 2:]:
                if text2 == ")":
                    break
                if kind2 == "name":
                    found.add(text2)
    return found
