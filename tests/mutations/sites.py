# SPDX-License-Identifier: MPL-2.0
"""Finds the places of a C source where one fault can be planted, and the changed text.

Works on text, not on a syntax tree: the sources are formatted by clang-format, so a binary
operator has a space on each side, and a function is what stands between braces in the first
column.  What does not compile is left out later (run.py)."""

import dataclasses
import hashlib
import re

KINDS = ("comparison", "condition", "call", "off-by-one", "return", "statement", "operator")
KEYWORDS = {"if", "for", "while", "switch", "return", "sizeof", "do", "else", "case", "assert"}
COMPARISONS = {"==": "!=", "!=": "==", "<": "<=", "<=": "<", ">": ">=", ">=": ">"}
OPERATORS = {"&&": "||", "||": "&&", "+": "-", "-": "+"}
INTEGERS = re.compile(r"\b(int|bool|long|size_t|ssize_t|unsigned|u?int\d+_t)$")


@dataclasses.dataclass(frozen=True)
class Site:
    path: str
    kind: str
    begin: int
    end: int
    line: int
    before: str
    after: str
    number: int  # of equal changes in this file

    def key(self):
        """Names the change also after other lines of the file have changed."""
        return "|".join((self.path, self.kind, self.before, self.after, str(self.number)))

    def order(self, seed):
        return hashlib.sha256(f"{seed}|{self.key()}".encode()).hexdigest()

    def apply(self, text):
        return text[:self.begin] + self.after + text[self.end:]


def masked(text):
    """The text with blanks for comments, strings, characters and preprocessor lines."""
    token = re.compile(r"/\*.*?\*/|//[^\n]*|\"(?:\\.|[^\"\\\n])*\"|'(?:\\.|[^'\\\n])*'"
                       r"|(?m:^#(?:[^\n]*\\\n)*[^\n]*)", re.S)

    def blank(match):
        found = match.group()
        # A string remains an operand.
        body = re.sub(r"[^\n]", " ", found)
        return '"' + body[1:-1] + '"' if found[0] in "\"'" else body

    return token.sub(blank, text)


def functions(text):
    """(begin of the body, its end, the type that it returns) of each function."""
    for match in re.finditer(r"^\{\n(.*?)^\}\n", text, re.S | re.M):
        head = re.split(r"\n\s*\n|;|^\}", text[:match.start()], flags=re.M)[-1].strip()
        result = head.split("(")[0].rsplit(None, 1)
        kind = result[0] if len(result) == 2 else ""
        yield match.start(1), match.end(1), kind + ("*" if "*" in result[-1] else "")


def closing(text, begin):
    """The position behind the parenthesis that closes the one at `begin`."""
    depth = 0
    for position in range(begin, len(text)):
        depth += {"(": 1, ")": -1}.get(text[position], 0)
        if depth == 0:
            return position + 1
    return len(text)


def begins_statement(text, position):
    before = text[:position].rstrip()
    return not before or before[-1] in ";{}:)" or before.endswith("else")


def _operators(body):
    for match in re.finditer(r" (==|!=|<=|>=|<|>|&&|\|\||\+|-)(?=\s)", body):
        sign = match.group(1)
        kind = "comparison" if sign in COMPARISONS else "operator"
        yield kind, match.start(1), match.end(1), (COMPARISONS | OPERATORS)[sign]


def _conditions(body):
    for match in re.finditer(r"\bif \(", body):
        begin = match.end() - 1
        end = closing(body, begin)
        yield "condition", begin, end, lambda text: f"(!{text})"


def _calls(body):
    for match in re.finditer(r"^\t+((?:\(void\))?(\w+)\()", body, re.M):
        end = closing(body, match.end() - 1)
        if (match.group(2) not in KEYWORDS and body[end:end + 1] == ";"
                and begins_statement(body, match.start(1))):
            yield "call", match.start(1), end, "(void)0"


def _numbers(body):
    for match in re.finditer(r"(?<![\w.])\d+(?![\w.])", body):
        if not re.search(r"(return|case) -?$", body[:match.start()]):
            yield "off-by-one", match.start(), match.end(), str(int(match.group()) + 1)


def _returns(body, result):
    for match in re.finditer(r"\breturn ([^;]+);", body):
        value = match.group(1)
        if value in ("0", "-1", "1"):
            change = "-1" if value == "0" else "0"
        elif result.endswith("*"):
            change = "NULL"
        elif INTEGERS.search(result):
            logical = re.search(r"[<>=!]=| [<>] |&&|\|\||^!", value) or result.endswith("bool")
            change = (lambda text: f"!({text})") if logical else (lambda text: f"({text}) + 1")
        else:
            continue
        if value != change:
            yield "return", match.start(1), match.end(1), change


def _statements(body):
    pattern = r"^\t+((?:[\w.*()\[\]]|->)+(?: [-+*/|&^]?= [^;]*|\+\+|--)|break|continue|goto \w+);"
    for match in re.finditer(pattern, body, re.M):
        if begins_statement(body, match.start(1)):
            yield "statement", match.start(1), match.end(1), "(void)0"


def find(path, text):
    """All sites of a file, in no particular order."""
    hidden, numbers = masked(text), {}
    for begin, end, result in functions(hidden):
        body = hidden[begin:end]
        found = [*_operators(body), *_conditions(body), *_calls(body), *_numbers(body),
                 *_returns(body, result), *_statements(body)]
        for kind, first, last, change in sorted(found, key=lambda site: site[1:3]):
            first, last = begin + first, begin + last
            old = text[first:last]
            new = change(old) if callable(change) else change
            if kind in ("comparison", "operator", "off-by-one"):
                # A sign alone says nothing: its line names it.
                low, high = text.rfind("\n", 0, first) + 1, text.find("\n", last)
                old, new = text[low:high], text[low:first] + new + text[last:high]
                first, last = low, high
            numbers[kind, old, new] = number = numbers.get((kind, old, new), -1) + 1
            yield Site(path, kind, first, last, text.count("\n", 0, first) + 1, old, new, number)
