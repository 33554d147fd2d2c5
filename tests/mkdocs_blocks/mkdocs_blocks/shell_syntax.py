"""Bash commands, read far enough to tell whether they are complete and which files they name.

The grammar is that of the section "Shell Grammar" of bash's manual. Where it is broken, or nested
too deep, bash itself shall tell: such a command counts as complete.
"""

import fnmatch
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

# Levels of nesting that are followed; each takes a few frames of Python's stack.
_DEEPEST = 40

_BLANKS = re.compile(r"(?:[ \t]|\\\n)*+(?:#[^\n]*+)?")
_PLAIN = re.compile(r"[^ \t\n;&|<>()'\"`$\\]++")
_QUOTED = re.compile(r'[^"`$\\]++')
_UNPAIRED = re.compile(r"[^'\"`$\\()\[\]{}]++")
_TOKEN = re.compile(r"[^ \t\n;&|<>()]++")
_SUBSCRIPT = re.compile(r"[A-Za-z_]\w*+\[")
_ASSIGNMENT = re.compile(r"[A-Za-z_]\w*+(?:\[[^\n]*\])?\+?=")
_REDIRECTION = re.compile(
    r"(?:[0-9]++|\{\w++\})?(?P<operator><<<|<<-|<<|<>|<&|<(?!\()|>>|>\||>&|>(?!\())|&>>?"
)
_ENDS_OF_CLAUSES = (";;&", ";;", ";&")
_COMPOUND = frozenset({"{", "[[", "case", "for", "if", "select", "until", "while"})
_OUT_OF_PLACE = frozenset({"do", "done", "elif", "else", "esac", "fi", "then", "}"})


class _UnfinishedError(Exception):
    """Bash would read another line; the message says for what."""


class _BrokenError(Exception):
    """Bash would refuse the command as it is, or it is more than is followed here."""


def unfinished(command: str) -> str:
    """Return for what bash would read another line; empty when the command is complete.

    The time is linear in the command's length. What bash refuses counts as complete.
    """
    try:
        _Reader(command).read()
    except _UnfinishedError as reason:
        return str(reason)
    except _BrokenError:
        pass
    return ""


@dataclass(frozen=True)
class _Document:
    """A here-document whose lines are still to come."""

    end: str
    indented: bool
    literal: bool


class _Reader:
    """A recursive-descent reader; `at` is the place that it has reached."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0
        self._depth = 0
        self._documents: list[_Document] = []
        # Where what begins at a place ends, so that nothing is read twice; -1: it is no arithmetic.
        self._ends: dict[int, int] = {}

    def read(self) -> None:
        """Read all of the text. Raises `_UnfinishedError` or `_BrokenError`."""
        self._commands("", ())
        for document in self._documents:
            self._document(document)

    # Characters and tokens.

    @property
    def _over(self) -> bool:
        return self._at >= len(self._text)

    def _next(self, *texts: str) -> bool:
        return self._text.startswith(texts, self._at)

    def _take(self, text: str) -> bool:
        """Step over a text if it comes next."""
        if not self._next(text):
            return False
        self._at += len(text)
        return True

    def _expect(self, text: str) -> None:
        if not self._take(text):
            raise _BrokenError

    def _token(self) -> str:
        """Return the unquoted word that comes next, as reserved words are; do not step over it."""
        found = _TOKEN.match(self._text, self._at)
        return found[0] if found else ""

    def _blanks(self) -> None:
        """Step over blanks, continued lines and a comment."""
        found = _BLANKS.match(self._text, self._at)
        self._at = found.end() if found else self._at
        if self._at == len(self._text) - 1 and self._next("\\"):
            raise _UnfinishedError("it ends in a backslash")

    def _newlines(self) -> None:
        """Step over blanks and line ends, and over the here-documents that begin there."""
        self._blanks()
        while self._take("\n"):
            for document in self._documents:
                self._document(document)
            self._documents = []
            self._blanks()

    def _must_close(self, opened: str) -> None:
        if self._over:
            raise _UnfinishedError(f"`{opened}` is not closed")

    def _deeper(self) -> None:
        self._depth += 1
        if self._depth > _DEEPEST:
            raise _BrokenError

    # Commands.

    def _commands(self, opened: str, ends: tuple[str, ...]) -> str:
        """Read commands up to what ends them; return it, and stand behind it."""
        self._deeper()
        separated = True
        while True:
            self._newlines()
            if self._over:
                if ends:
                    self._must_close(opened)
                return ""
            end = self._end(ends)
            if end:
                self._at += len(end)
                self._depth -= 1
                return end
            if not separated:
                raise _BrokenError
            self._and_or()
            self._blanks()
            if self._next(*_ENDS_OF_CLAUSES):
                separated = False
            elif self._next(";", "&"):
                self._at += 1
                separated = True
            else:
                separated = self._next("\n")

    def _end(self, ends: tuple[str, ...]) -> str:
        word = self._token()
        for end in ends:
            if self._next(end) if end[0] in ");" else word == end:
                return end
        return ""

    def _and_or(self) -> None:
        while True:
            self._pipeline()
            self._blanks()
            operator = "&&" if self._take("&&") else "||" if self._take("||") else ""
            if not operator:
                return
            self._must_go_on(f"`{operator}` needs a command after it")

    def _pipeline(self) -> None:
        while True:
            self._blanks()
            alone = False
            while (word := self._token()) in {"!", "time"}:
                alone = True
                self._at += len(word)
                self._blanks()
                while word == "time" and self._token() in {"-p", "--"}:
                    self._at += 2
                    self._blanks()
            if not (alone and (self._over or self._next("\n", ";"))):
                self._command()
            self._blanks()
            if self._next("||") or not self._take("|"):
                return
            self._take("&")
            self._must_go_on("`|` needs a command after it")

    def _must_go_on(self, reason: str) -> None:
        self._newlines()
        if self._over:
            raise _UnfinishedError(reason)

    def _command(self) -> None:
        """Read a simple or a compound command with its redirections."""
        self._blanks()
        word = self._token()
        if self._next("(("):
            if not self._arithmetic():
                self._at += 1
                self._commands("(", (")",))
        elif self._take("("):
            self._commands("(", (")",))
        elif word in _COMPOUND:
            self._at += len(word)
            self._compound(word)
        elif word == "function":
            self._at += len(word)
            self._blanks()
            self._word()
            self._blanks()
            if self._take("("):
                self._blanks()
                self._expect(")")
            self._body()
            return
        elif word == "coproc":
            self._at += len(word)
            self._coprocess()
            return
        elif word in _OUT_OF_PLACE:
            raise _BrokenError
        else:
            self._simple()
            return
        self._blanks()
        while self._redirection():
            self._blanks()

    def _compound(self, word: str) -> None:
        match word:
            case "{":
                self._commands("{", ("}",))
            case "if":
                end = "elif"
                while end == "elif":
                    self._commands("if", ("then",))
                    end = self._commands("if", ("elif", "else", "fi"))
                if end == "else":
                    self._commands("if", ("fi",))
            case "while" | "until":
                self._commands(word, ("do",))
                self._commands(word, ("done",))
            case "for" | "select":
                self._loop(word)
            case "case":
                self._case()
            case _:
                self._conditional()

    def _loop(self, word: str) -> None:
        reason = f"`{word}` is not closed"
        self._blanks()
        if self._next("(("):
            if not self._arithmetic():
                raise _BrokenError
            self._blanks()
            self._take(";")
        else:
            self._word()
            self._blanks()
            if not self._take(";"):
                self._must_go_on(reason)
                if self._token() == "in":
                    self._at += 2
                    self._blanks()
                    while not (self._over or self._next(";", "\n")):
                        self._word()
                        self._blanks()
                    self._take(";")
        self._must_go_on(reason)
        if self._token() not in {"do", "{"}:
            raise _BrokenError
        brace = self._token() == "{"
        self._at += 1 if brace else 2
        self._commands("{" if brace else word, ("}",) if brace else ("done",))

    def _case(self) -> None:
        self._blanks()
        self._word()
        self._must_go_on("`case` is not closed")
        if self._token() != "in":
            raise _BrokenError
        self._at += 2
        while True:
            self._must_go_on("`case` is not closed")
            if self._token() == "esac":
                self._at += 4
                return
            self._take("(")
            while True:
                self._blanks()
                self._word()
                self._blanks()
                if not self._take("|"):
                    break
            self._expect(")")
            if self._commands("case", (*_ENDS_OF_CLAUSES, "esac")) == "esac":
                return

    def _conditional(self) -> None:
        """Read what comes after `[[`: a line may end only where a term is complete."""
        words: list[str] = []
        while True:
            self._blanks()
            if self._over or self._next("\n"):
                if words and len(words) != (2 if words[0].startswith("-") else 3):
                    raise _BrokenError
                self._must_go_on("`[[` is not closed")
            elif self._token() == "]]":
                self._at += 2
                return
            elif self._take("&&") or self._take("||") or self._take("(") or self._take(")"):
                words = []
            elif self._next("<", ">"):
                words.append(self._text[self._at])
                self._at += 1
            else:
                start = self._at
                self._pattern()
                word = self._text[start : self._at]
                if word != "!":
                    words.append(word)

    def _pattern(self) -> None:
        """Read a word of `[[`, in which parentheses group alternatives."""
        start = self._at
        while not self._over and not self._next(" ", "\t", "\n"):
            if self._take("("):
                self._pair("(", ")")
            elif self._text[self._at] in ";&|<>" and self._at > start:
                self._at += 1
            elif self._next(")"):
                break
            else:
                self._piece()
        if self._at == start:
            raise _BrokenError

    def _body(self) -> None:
        """Read the compound command that is the body of a function."""
        self._must_go_on("the function has no body")
        if not (self._next("(") or self._token() in _COMPOUND):
            raise _BrokenError
        self._command()

    def _coprocess(self) -> None:
        self._deeper()
        self._blanks()
        start = self._at
        if not (self._next("(") or self._token() in _COMPOUND):
            self._word()
            self._blanks()
            if not (self._next("(") or self._token() in _COMPOUND):
                self._at = start
        self._command()
        self._depth -= 1

    def _simple(self) -> None:
        words = 0
        assignments = True
        while True:
            self._blanks()
            if self._over:
                break
            if self._redirection():
                words += 1
                assignments = True
            elif self._next("\n", ";", "&", "|", ")"):
                break
            elif self._next("("):
                if words != 1 or assignments:
                    raise _BrokenError
                self._at += 1
                self._blanks()
                self._expect(")")
                self._body()
                return
            else:
                start = self._at
                self._word(subscripts=assignments)
                words += 1
                is_one = _ASSIGNMENT.match(self._text[start : self._at])
                assignments = assignments and is_one is not None
        if not words:
            raise _BrokenError

    def _redirection(self) -> bool:
        found = _REDIRECTION.match(self._text, self._at)
        if not found:
            return False
        self._at = found.end()
        self._blanks()
        start = self._at
        self._word()
        if found["operator"] in {"<<", "<<-"}:
            word = self._text[start : self._at]
            end = re.sub(r"\$?(['\"])(.*?)\1|\\(.)", r"\2\3", word, flags=re.DOTALL)
            self._documents.append(
                _Document(end, indented=found["operator"] == "<<-", literal=end != word)
            )
        return True

    def _document(self, document: _Document) -> None:
        """Step over the lines of a here-document, its last one included."""
        line = ""
        while not self._over:
            stop = self._text.find("\n", self._at)
            stop = len(self._text) if stop < 0 else stop
            line += self._text[self._at : stop]
            self._at = stop + 1
            if not document.literal and (len(line) - len(line.rstrip("\\"))) % 2:
                line = line[:-1]
                continue
            if (line.lstrip("\t") if document.indented else line) == document.end:
                return
            line = ""
        raise _UnfinishedError(f"its here-document has no line `{document.end}`")

    # Words.

    def _word(self, *, subscripts: bool = False) -> None:
        start = self._at
        found = _SUBSCRIPT.match(self._text, self._at) if subscripts else None
        if found:
            self._at = found.end()
            self._pair("[", "]")
        while not self._over:
            if self._next("<(", ">("):
                self._at += 1
                self._substitution()
            elif self._next("(") and _ASSIGNMENT.fullmatch(self._text[start : self._at]):
                self._at += 1
                self._array()
            elif self._text[self._at] in " \t\n;&|<>()":
                break
            else:
                self._piece()
        if self._at == start:
            raise _BrokenError

    def _array(self) -> None:
        self._deeper()
        self._newlines()
        while not self._take(")"):
            self._must_close("(")
            self._word()
            self._newlines()
        self._depth -= 1

    def _piece(self) -> None:
        """Read one part of a word: a quote, an expansion, or plain characters."""
        match self._text[self._at]:
            case "'":
                self._quote("'")
            case '"':
                self._double_quote()
            case "`":
                self._quote("`")
            case "$":
                self._dollar()
            case "\\":
                if self._at + 1 == len(self._text):
                    raise _UnfinishedError("it ends in a backslash")
                self._at += 2
            case _:
                found = _PLAIN.match(self._text, self._at)
                self._at = found.end() if found else self._at + 1

    def _quote(self, mark: str, *, escapes: bool = False) -> None:
        """Read up to the mark that ends a quote; what stands in back-ticks is not looked into."""
        place = self._at + 1
        while True:
            stop = self._text.find(mark, place)
            if stop < 0:
                raise _UnfinishedError(f"the quote {mark} is not closed")
            before = self._text[place:stop]
            backslashes = len(before) - len(before.rstrip("\\"))
            place = stop + 1
            if (mark == "'" and not escapes) or backslashes % 2 == 0:
                self._at = place
                return

    def _double_quote(self) -> None:
        self._deeper()
        self._at += 1
        while not self._take('"'):
            if self._over:
                raise _UnfinishedError('the quote " is not closed')
            if self._next("$"):
                self._dollar(quoted=True)
            elif self._next("`"):
                self._quote("`")
            elif self._next("\\"):
                self._at += 2
            else:
                found = _QUOTED.match(self._text, self._at)
                self._at = found.end() if found else self._at
        self._depth -= 1

    def _dollar(self, *, quoted: bool = False) -> None:
        if self._next("$(("):
            self._at += 1
            if not self._arithmetic():
                self._substitution()
        elif self._next("$("):
            self._at += 1
            self._substitution()
        elif self._take("${"):
            self._pair("${", "}", nested=False)
        elif self._take("$["):
            self._pair("[", "]")
        elif self._next("$'") and not quoted:
            self._at += 1
            self._quote("'", escapes=True)
        else:
            self._at += 2 if self._next("$$") else 1

    def _pair(self, opened: str, closed: str, *, nested: bool = True) -> None:
        """Read up to what closes; quotes and expansions in between are skipped."""
        self._deeper()
        depth = 1
        while depth:
            self._must_close(opened)
            if self._take(closed):
                depth -= 1
            elif nested and self._take(opened):
                depth += 1
            elif self._text[self._at] in "'\"`$\\":
                self._piece()
            else:
                found = _UNPAIRED.match(self._text, self._at)
                self._at = found.end() if found else self._at + 1
        self._depth -= 1

    def _substitution(self) -> None:
        """Read the commands of `$(…)` or `<(…)`; their here-documents end within."""
        start = self._at
        if start not in self._ends:
            documents, self._documents = self._documents, []
            self._at += 1
            self._commands("(", (")",))
            self._documents = documents
            self._ends[start] = self._at
        self._at = self._ends[start]

    def _arithmetic(self) -> bool:
        """Read `((…))` and tell whether it is one; nested subshells begin in the same way."""
        start = self._at
        key = -1 - start
        if key not in self._ends:
            self._at += 2
            self._ends[key] = -1
            depth = self._depth
            try:
                self._pair("(", ")")
                self._must_close("(")
                if self._take(")"):
                    self._ends[key] = self._at
            except _UnfinishedError as reason:
                self._at = start + 1
                self._depth = depth
                try:
                    self._commands("(", (")",))
                except _BrokenError:
                    raise reason from None
        self._at = start if self._ends[key] < 0 else self._ends[key]
        return self._ends[key] >= 0


_QUOTE_OR_COMMENT = re.compile(r"(?<!\\)[\"'#]")
# Characters that go on with a name; a slash leads to the folder, which is another name.
_BEFORE = r"(?<![\w.+$~-])"
_AFTER = r"(?![\w+~-]|\.\w)"
_MODULE = r"(?:\B-m|\B-p|\bimport|\bfrom)\s+"


def uses(command_text: str, names: Iterable[str]) -> bool:
    """Tell whether commands name one of these files, folders or programs.

    A name counts as a whole word or as whole parts of a path: `demo` is named by `./demo/x.py` and
    by `demo.py::test`, not by `my-demo` or `demo.txt`. A Python file is named by its module as
    well: `demo/x.py` by `python -m demo.x`. So is what `{x,y}.py` and `*.py` stand for. Comments
    name nothing.
    """
    text = "\n".join(map(_without_comment, command_text.split("\n")))
    text = text.replace("\\\n", "").replace("\\ ", " ")
    text = "\n".join([text, *_expanded(text)])
    patterns = [part for word in set(text.split()) for part in _globs(word)]
    return any(
        _named(name, text) or any(pattern.fullmatch(name) for pattern in patterns)
        for name in {name.strip("/") for name in names} - {"", "."}
    )


def _named(name: str, text: str) -> bool:
    if name not in text and not name.endswith(".py"):
        return False  # the quick answer
    path = re.escape(name)
    ways = [rf"{_BEFORE}{path}(?:{_AFTER}|(?=/))"]
    module = re.escape(name.removesuffix(".py").removesuffix("/__init__").replace("/", "."))
    if name.endswith(".py"):
        last = module.rpartition(".")[2]
        if last != module:
            ways.append(rf"{_BEFORE}{module}(?![\w+~-])")
        ways.append(rf"{_MODULE}{last}(?![\w/+~-])")
        ways.append(rf"{_BEFORE}{last}:\w")  # as in `uvicorn x:app`
        if any(re.search(rf"\b{last}\b", imported) for imported in _imported(text)):
            return True
    elif "." not in name:
        ways.append(rf"{_BEFORE}{path}\.py{_AFTER}")
        ways.append(rf"{_MODULE}{module}\.")
    return any(re.search(way, text) for way in ways)


def _without_comment(line: str) -> str:
    quote = ""
    for found in _QUOTE_OR_COMMENT.finditer(line):
        if found[0] != "#":
            quote = found[0] if not quote else "" if quote == found[0] else quote
        elif not quote and not line[max(0, found.start() - 1) : found.start()].strip():
            return line[: found.start()]
    return line


def _imported(text: str) -> Iterator[str]:
    """Yield what follows the word `import` in a line."""
    for line in text.split("\n"):
        found = re.search(r"\bimport\b", line)
        if found:
            yield line[found.end() :]


def _expanded(text: str) -> Iterator[str]:
    """Yield the words that braces stand for: two for `{x,y}.py`."""
    for word in text.split():
        before, opened, rest = word.partition("{")
        inner, closed, after = rest.partition("}")
        if opened and closed and "," in inner:
            yield from (f"{before}{part}{after}" for part in inner.split(","))


def _globs(word: str) -> Iterator[re.Pattern[str]]:
    """Yield the pattern of a file name that a word has."""
    word = word.strip("'\";()&|<>").removeprefix("./")
    if re.search(r"[*?\[]", word) and re.search(r"\w", word):
        yield re.compile(fnmatch.translate(word).replace(".*", "[^/]*"))
