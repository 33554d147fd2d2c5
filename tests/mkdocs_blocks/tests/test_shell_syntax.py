"""Which commands are complete, and which files they name."""

import os
import random
import re
import subprocess

import pytest
from mkdocs_blocks.shell_syntax import unfinished, uses

COMPLETE = [
    "",
    "true",
    "echo a b # it's",
    "echo it\\'s",
    "echo 'a\nb' \"c 'd' \\\" $x\"",
    "echo a \\\n  b",
    "echo $'it\\'s' $\"a\"",
    'echo "$(echo ")")" $(echo \')\')',
    "echo $(case a in a) echo b;; (c) ;; esac)",
    "echo $((1 + (2 << 3))) $((echo a); echo b)",
    'echo ${a:-\'}\'} ${#a} ${a#"}"} "${b:-$(c)}"',
    "echo `echo '` a",
    "(( a < 3 )) && echo b",
    "((echo a); echo b)",
    "[[ $a =~ ^(a|b)+$ && -f c ]]",
    "[[ a == b ||\n c == d ]]",
    "[ a = b ]",
    "cat <<END\nit's \"\nEND",
    "cat <<'A B' <<-C; echo d\n$(\nA B\n\tC",
    "cat <<E\na \\\nE\nE",
    "cat <<< 'a'",
    "diff <(ls a) <(ls b) > c 2>&1 &",
    "a=(1 2 # 3'\n 4) b[1 + 1]=c d+=e echo f",
    "for a in b c; do echo; done",
    "for a\ndo\necho\ndone | sort",
    "for ((a = 0; a < 3; a++)); do echo; done",
    "while read a; do echo; done < b",
    "until a; do b; done &",
    "select a in b; do c; done",
    "if a; then b; elif c; then d; else e; fi > f",
    "case $a in b | 'c') d ;; (*) e ;& f) ;; esac",
    "f() { echo; }",
    "function f { echo; }; f",
    "f()\n(\na\n)",
    "{ a; b & } | c",
    "! a | b |& c",
    "time -p a && b || c",
    "coproc A { b; }",
    "a &> b &",
    "echo if then do {",
    "echo done fi esac }",
    "echo a#b $# ${#} '#'",
    "x=1 if",
    "echo a; # b",
    "echo \\\\",
    "echo '\\'",
    "# a comment \\",
]

INCOMPLETE = {
    "echo a \\": "it ends in a backslash",
    "\\": "it ends in a backslash",
    "echo a\\": "it ends in a backslash",
    "echo 'a": "the quote ' is not closed",
    'echo "a': 'the quote " is not closed',
    'echo "it\'s $(echo "a)': 'the quote " is not closed',
    "echo $'a\\'": "the quote ' is not closed",
    "echo `a": "the quote ` is not closed",
    "echo it's": "the quote ' is not closed",
    "echo $(a": "`(` is not closed",
    "echo $((1 + 2)": "`(` is not closed",
    "echo ${a": "`${` is not closed",
    "a=(1 2": "`(` is not closed",
    "(a; b": "`(` is not closed",
    "{ a; b": "`{` is not closed",
    "f() {": "`{` is not closed",
    "f()": "the function has no body",
    "function f": "the function has no body",
    "cat <<END": "its here-document has no line `END`",
    "cat > a << 'END'\nb\nEND ": "its here-document has no line `END`",
    "cat <<-END\na\n    END": "its here-document has no line `END`",
    "cat <<A <<B\nA": "its here-document has no line `B`",
    "for a in b": "`for` is not closed",
    "for a in b; do": "`for` is not closed",
    "while a; do b": "`while` is not closed",
    "until a": "`until` is not closed",
    "if a": "`if` is not closed",
    "if a; then b; else": "`if` is not closed",
    "case a in": "`case` is not closed",
    "case a in b) c;;": "`case` is not closed",
    "[[ -f a &&": "`[[` is not closed",
    "[[ a == b": "`[[` is not closed",
    "(( 1 +": "`(` is not closed",
    "a |": "`|` needs a command after it",
    "a |& # b": "`|` needs a command after it",
    "a &&": "`&&` needs a command after it",
    "a ||\n": "`||` needs a command after it",
}

# Bash would refuse these as they are: that it says so is worth more than a guess.
BROKEN = [")", "fi", "a;; b", "a | | b", "{ a; } b", "for", "cat <", "f() a", "case a b", "echo (a"]


@pytest.mark.parametrize("command", COMPLETE)
def test_a_complete_command_is_known(command: str) -> None:
    """Quotes, comments, here-documents and compound commands end where bash ends them."""
    assert unfinished(command) == ""


@pytest.mark.parametrize(("command", "reason"), INCOMPLETE.items())
def test_an_incomplete_command_is_told_why(command: str, reason: str) -> None:
    """The reason names what bash would go on to read for."""
    assert unfinished(command) == reason


@pytest.mark.parametrize("command", BROKEN)
def test_what_bash_refuses_is_left_to_bash(command: str) -> None:
    """A syntax error is no incomplete command."""
    assert unfinished(command) == ""


@pytest.mark.parametrize(
    "opened", ["(", "$(", "$((", "((", "{ ", "${", '"$(', "a=(", "if ", "coproc ", "f() ", "[[ ("]
)
def test_deep_nesting_ends(opened: str) -> None:
    """However deep a command is nested, there is an answer."""
    assert isinstance(unfinished(opened * 2000), str)


def test_nested_arithmetic_is_read_once() -> None:
    """What may be arithmetic or a subshell is not read twice per level."""
    assert unfinished("$((" * 35 + "1" + ") )" * 35) == ""


def test_every_beginning_of_a_command_is_judged_as_bash_judges_it() -> None:
    """Each command is cut at some places; `bash -n` says which of these beginnings go on."""
    environment = {"PATH": os.environ["PATH"], "LC_ALL": "C"}
    goes_on = re.compile(
        r"unexpected end of file|unexpected EOF while looking|delimited by end-of-file"
    )
    some = random.Random(1)  # noqa: S311 - to be repeated, not secret
    compared = 0
    for command in COMPLETE:
        # Bash has other words for `[[`, and none for `for ((` that does not end.
        if "[[" in command or "for ((" in command:
            continue
        lengths = range(1, len(command) + 1)
        for length in some.sample(lengths, min(12, len(lengths))):
            text = command[:length]
            if text.endswith("\\"):
                continue  # for `bash -n`, the end of the text is as good as another line
            done = subprocess.run(
                ["bash", "-n"],
                input=f"{text}\n",
                capture_output=True,
                text=True,
                env=environment,
                check=False,
            )
            compared += 1
            broken = "near unexpected token" in done.stderr
            bash_goes_on = not broken and goes_on.search(done.stderr) is not None
            assert bool(unfinished(text)) == bash_goes_on, (text, done.stderr)
    assert compared > 300


@pytest.mark.parametrize(
    ("command", "name"),
    [
        ("pytest demo -q", "demo"),
        ("./demo/x.py", "demo"),
        ("./demo/x.py", "demo/x.py"),
        ("cd demo&&ls", "demo"),
        ("(cd demo; ls)", "demo"),
        ("ls demo/", "demo"),
        ("pytest demo.py::test", "demo"),
        ("pytest demo.py::test", "demo.py"),
        ("cat $PWD/demo/x.py", "demo/x.py"),
        ("bash ../demo/run.sh", "demo/run.sh"),
        ("cd demo\npython x.py", "x.py"),
        ("python -m demo.x", "demo/x.py"),
        ("python -m demo.x", "demo"),
        ("python -m demo", "demo/__init__.py"),
        ("python -m x", "x.py"),
        ("pytest -p x", "x.py"),
        ("uvicorn x:app", "x.py"),
        ("from demo import x", "demo/x.py"),
        ('python -c "import sys, x; x.main()"', "x.py"),
        ("tool --config=e.toml", "e.toml"),
        ("curl -d @e.json host", "e.json"),
        ("sort<e.toml>f.toml", "e.toml"),
        ("sort<e.toml>f.toml", "f.toml"),
        ("[ -f e.toml ]", "e.toml"),
        ("echo 'see e.toml.'", "e.toml"),
        ("cat *.toml", "e.toml"),
        ("cat demo/x.*", "demo/x.py"),
        ("cat {e,f}.toml", "f.toml"),
        ("cat my\\ file.txt", "my file.txt"),
        ('cat "my file.txt"', "my file.txt"),
        ("echo '# ' e.toml", "e.toml"),
        ("echo a#b e.toml", "e.toml"),
        ("uv run pytest -q", "pytest"),
        ("p = Path('demo') / 'conftest.py'", "conftest.py"),
    ],
)
def test_a_command_uses_what_it_names(command: str, name: str) -> None:
    """Paths, their parts, modules, patterns: as whole words."""
    assert uses(command, ["something else", name])


@pytest.mark.parametrize(
    ("command", "name"),
    [
        ("echo hello", "e.toml"),
        ("echo hello", "e"),
        ("set -e", "e"),
        ("cat my-e.toml", "e.toml"),
        ("cat ae.toml", "e.toml"),
        ("cat .e.toml", "e.toml"),
        ("cat e.toml.bak", "e.toml"),
        ("cat e.tomls", "e.toml"),
        ("cat eXtoml", "e.toml"),
        ("echo hello # e.toml", "e.toml"),
        ("# cat e.toml\ntrue", "e.toml"),
        ("cat demo.txt", "demo"),
        ("ls demo2/x", "demo"),
        ("pytest --demo", "demo"),
        ("echo $demo", "demo"),
        ("pytest-x", "pytest"),
        ("test -f y", "test.py"),
        ("python -m demo.xy", "demo/x.py"),
        ("x = 2 * 3", "e.toml"),
        ("cat *.json", "e.toml"),
        ("cat *.py", "demo/x.py"),
        ("ls", ""),
        ("ls .", "."),
    ],
)
def test_a_command_does_not_use_what_only_looks_alike(command: str, name: str) -> None:
    """A part of a word is no word, and a comment uses nothing."""
    assert not uses(command, [name])
