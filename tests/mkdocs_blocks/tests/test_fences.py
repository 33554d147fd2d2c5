"""Which blocks and faults are found on a page, whatever its fences stand in."""

import html
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest
from mkdocs_blocks.block import Block, Page
from mkdocs_blocks.settings import Settings
from mkdocs_blocks.site import SiteReading, read_site

FENCE = """\
```console
$ true
```
"""

SUPERFENCES = """\
site_name: A site with superfences
plugins: []
validation: {links: {not_found: ignore, unrecognized_links: ignore}}
markdown_extensions:
  - admonition
  - attr_list
  - def_list
  - footnotes
  - md_in_html
  - pymdownx.blocks.admonition
  - pymdownx.details
  - pymdownx.highlight
  - pymdownx.inlinehilite
  - pymdownx.snippets: {check_paths: true}
  - pymdownx.superfences:
      custom_fences:
        - name: mermaid
          class: mermaid
          format: !!python/name:pymdownx.superfences.fence_code_format
  - pymdownx.tabbed: {alternate_style: true}
"""

DEFAULT = """\
site_name: A site with the fences that MkDocs has by default
plugins: []
markdown_extensions: [admonition, attr_list]
"""


def indented(text: str, prefix: str = "    ") -> str:
    """Return the text with a prefix before each line."""
    return "".join(f"{prefix}{line}" for line in text.splitlines(keepends=True))


Site = tuple[Path, SiteReading]


def read(root: Path, config: str, pages: Sequence[str | bytes], settings: Settings) -> SiteReading:
    """Read a site with these pages, called by their numbers."""
    docs = root / "docs"
    docs.mkdir(exist_ok=True)
    (root / "mkdocs.yml").write_text(config)
    for number, text in enumerate(pages):
        data = text.encode() if isinstance(text, str) else text
        (docs / f"p{number}.md").write_bytes(data)
    (root / "reading").mkdir()
    return read_site(root, settings, into=root / "reading")


def page_of(reading: SiteReading, number: int) -> Page:
    """Return a page by its number."""
    return next(page for page in reading.pages if page.name == f"docs/p{number}.md")


def only(page: Page) -> Block:
    """Return the only block of a page without faults."""
    assert page.faults == ()
    (block,) = page.blocks
    return block


# Each page has one console block that says `$ true`, and the line of its fence.
CONTAINERS = [
    (FENCE, 1),
    ("---\ntitle: A page\n---\n\n# Title\n\n" + FENCE, 7),
    ("!!! note\n\n" + indented(FENCE), 3),
    ("/// note\n" + FENCE + "///\n", 2),
    ("??? note\n\n" + indented(FENCE), 3),
    ('=== "One"\n\n' + indented(FENCE), 3),
    ("- item\n\n" + indented(FENCE), 3),
    ("1. item\n\n    - within\n\n" + indented(FENCE, " " * 8), 5),
    ('- item\n\n    === "Tab"\n\n' + indented(indented(FENCE)), 5),
    ("> quoted\n>\n" + indented(FENCE, "> "), 3),
    ("> - quoted list\n>\n" + indented(FENCE, ">     "), 3),
    ("Term\n:   Said.\n\n" + indented(FENCE), 4),
    ("A note[^1].\n\n[^1]: Said.\n\n" + indented(FENCE), 5),
    ("!!! note\n\n" + indented(FENCE, "\t"), 3),
    ("<div markdown>\n\n" + FENCE + "\n</div>\n", 3),
    ("~~~console\n$ true\n~~~\n", 1),
    ("```{ .console }\n$ true\n```\n", 1),
    ('```console title="A caption" hl_lines="1"\n$ true\n```\n', 1),
    ("text\n\n````console\n$ true\n````\n", 3),
    ("\ufeff# Title\n\n" + FENCE, 3),
    ("# Title\r\n\r\n" + FENCE.replace("\n", "\r\n"), 3),
    ("\ufeff---\r\ntitle: A page\r\n---\r\n" + FENCE, 4),
]

KINDS = [
    ("console", "console", "console"),
    ("bash", "bash", "script"),
    ("sh", "bash", "script"),
    ("python", "python", "python"),
    ("py", "python", "python"),
    ("python3", "python", "python"),
    ('{ .python fixture="tmp_path" }', "python", "python"),
    ("{ .python .wide #name }", "python", "python"),
    ('python linenums="1"', "python", "python"),
    ('python title="new.py"', "python", "file"),
    ('toml title="there.toml"', "toml", "excerpt"),
    ('proto title="new.proto"', "protobuf", "file"),
    ('just title="justfile"', "just", "file"),
    ("text", "text", "quote"),
    ("markdown", "markdown", "markdown"),
    ('markdown title="new.md"', "markdown", "file"),
    ('bash title="Not run: it needs a daemon of yours"', "bash", "excused"),
    ('pycon title="Not run: it shows the prompt of Python"', "pycon", "excused"),
    ('diff title="Not run: it shows what was changed"', "diff", "excused"),
    ("chart", "", "declared"),
]

FAULTS = [
    ("\n```\nx\n```\n", 2, "no-language", "a fence without a language"),
    ("\n```pyhton\nx\n```\n", 2, "unknown-language", "unknown language 'pyhton': python"),
    ("\n```ruby\nx\n```\n", 2, "cannot-run", "a ruby block cannot be run"),
    ("```pycon\n>>> 1\n```\n", 1, "cannot-run", "a pycon block cannot be run"),
    (
        "```plantuml\nA -> B\n```\n",
        1,
        "unknown-language",
        (
            "unknown language 'plantuml'. Write one that Pygments knows, or text; if the site "
            "turns such fences into something else, declare them in the setting "
            "mkdocs_blocks_fences, as in `plantuml: it is drawn`"
        ),
    ),
    ("```dot\ngraph {}\n```\n", 1, "cannot-run", "mkdocs_blocks_fences, as in `dot: it is drawn`"),
    (
        '```python fixture="server"\nx\n```\n',
        1,
        "unread-fence",
        (
            """cannot read the fence 'python fixture="server"' and shows it as text: """
            'write its attributes in braces, ```{ .python fixture="server" }'
        ),
    ),
    ("```mermaid\ngraph TD\n```\n", 1, "custom-fence", "`mermaid: it is drawn`"),
    ('```console exit="3"\nx\n```\n', 1, "unread-fence", "cannot read the fence 'console exit=\""),
    ('```{ .console norun="why" }\nx\n```\n', 1, "unknown-attribute", "attribute 'norun'"),
    ("```python notest\nx\n```\n\n```\ny\n```\n", 1, "unread-fence", "the fence 'python notest'"),
    (
        "```python fixture:x\nx\n```\n",
        1,
        "unread-fence",
        "cannot read the fence 'python fixture:x'",
    ),
    ("# T\n\n```python\nx\n", 3, "unread-fence", "'python' is never closed"),
    (
        "```python\nx\n\n" + FENCE,
        1,
        "unclosed-fence",
        "not closed before the next one, '```console'",
    ),
    ("- ```python\n  x\n  ```\n", 1, "unread-fence", "must start on a line of its own"),
    ("text\n\n    x = 1\n", 3, "no-fence", "a code block without a fence, 'x = 1'"),
    ("<pre>x = 1</pre>\n", 1, "no-fence", "a code block without a fence"),
    ("\ufeff    $ false\n", 1, "no-fence", "a code block without a fence, '$ false'"),
    ("text\n\n" + indented(FENCE), 3, "unseen-fence", "readers do not see this fence"),
    ("<!--\n" + FENCE + "-->\n", 2, "unseen-fence", "readers do not see this fence"),
    (FENCE + "\n<!--\n\n" + FENCE + "\n-->\n", 7, "unseen-fence", "readers do not see this fence"),
    ("```toml\nx = 1\n```\n", 1, "cannot-run", "the title of the file"),
    ('```python title="../x.py"\nx\n```\n', 1, "title", "leaves the project"),
    ('```python title="/x.py"\nx\n```\n', 1, "title", "leaves the project"),
    ('```text title="a\0.txt"\nx\n```\n', 1, "title", "has a control character"),
    ('```toml title="."\nx = 1\n```\n', 1, "title", "is a folder"),
    ('```toml title="docs"\nx = 1\n```\n', 1, "title", "is a folder"),
    ('```python title="new/"\nx\n```\n', 1, "title", "is a folder"),
    ('```python title="a\\b.py"\nx\n```\n', 1, "title", "has a backslash"),
    ('```python title="--version.py"\nx\n```\n', 1, "title", "would be an option"),
    (f'```python title="{"x" * 300}.py"\nx\n```\n', 1, "title", "has 303 characters"),
    ('```ini title="pyproject.toml"\nx\n```\n', 1, "wrong-language", "written in ini: write toml"),
    ('```python title="justfile"\nx\n```\n', 1, "wrong-language", "written in python: write just"),
    ('```bash title="Not run: no"\nx\n```\n', 1, "no-reason", "say why the block is not run"),
    ('```bash title="Not run:"\nx\n```\n', 1, "no-reason", "say why the block is not run"),
    (
        '```bash title="not rum: it wipes the disk"\nx\n```\n',
        1,
        "no-reason",
        "say why the block is",
    ),
    ("```bash\n\n```\n", 1, "empty-block", "an empty block"),
    ('```console hl_lines="1 3"\n$ a\nb\n```\n', 1, "hl-lines", "hl_lines names line 3 of 2"),
    ('```console hl_lines="1-4"\n$ a\nb\n```\n', 1, "hl-lines", "hl_lines names line 4 of 2"),
    ('```console hl_lines="2-1"\n$ a\nb\n```\n', 1, "hl-lines", "write the smaller one first"),
    ('```console hl_lines="0"\n$ a\n```\n', 1, "hl-lines", "hl_lines names line 0 of 1"),
    ("```python\nimport os\n\ndef f():\n    pass\n```\n", 1, "only-defines", "only defines things"),
    ("```console\n$ make\n...\n```\n", 3, "idle-wildcard", "the output of `make` is nothing but"),
    (
        "```console\n$ a\n$ b\n[..]\n\n...\n```\n",
        4,
        "idle-wildcard",
        "the output of `b` is nothing",
    ),
    ("```console\n$ a\n...\n$ echo $?\n1\n```\n", 3, "idle-wildcard", "`$ echo $?` and `0` follow"),
    ("```console\n$ a\nb\n$ echo $?\n[..]\n```\n", 5, "idle-wildcard", "output of `echo $?` is"),
    ("> ```console\n> $ a\n> b\n> ...\n>\n> ...\n> ```\n", 6, "idle-wildcard", "`...` after `...`"),
    ("# T\n\n```text\n...\n```\n", 4, "idle-wildcard", "the quote is nothing but wildcards"),
    (
        '```toml title="there.toml"\n# ...\n```\n',
        2,
        "idle-wildcard",
        "the excerpt of there.toml is nothing but",
    ),
    (
        '```toml title="there.toml"\nx = 1\n# ...\n...\n```\n',
        4,
        "idle-wildcard",
        "write the line that stands between them",
    ),
    ("text\n\na [link][nowhere] too many\n", 3, "unresolved", "[link][nowhere] refers to a link"),
    ("a note[^1]\n", 1, "unresolved", "[^1] refers to a link or a note"),
    ('- --8<-- "code.py"\n', 1, "unresolved", "--8<-- is shown as it is"),
    ("````markdown\n# T\n\n```\nx\n```\n````\n", 4, "no-language", "a fence without a language"),
    (
        "`````markdown\n````markdown\n```pyhton\nx\n```\n````\n`````\n",
        3,
        "unknown-language",
        "unknown language 'pyhton'",
    ),
]

# No fault at all: what only looks like one.
RIGHT = [
    "Escaped: \\[link\\]\\[nowhere\\] is meant, and `[a][b]` is code.\n",
    "Text ``` in a line is none, and `` ```python `` is code.\n",
    "````text\n```python\nx\n```\n````\n",
    ';--8<-- "shown.py"\n',
    "```python\n" + "1+" * 50_000 + "1\n```\n",
    "```python\n" + "(" * 300 + "\n```\n",
    '```text title="A caption of three words"\nx\n```\n',
    "```console\n$ a\n...\nb\n...\nc\n...\n$ d\n...\n$ echo $?\n0\n$ e\n[..]\n...\n. [..]\n```\n",
    '```text title="Not run: it is never ended"\n...\n```\n',
    "",
    "\n\n",
]

HEADERS = [f"```{header}\nx = 1\n```\n" for header, _, _ in KINDS]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Site:
    """All the pages of this module on one site."""
    root = tmp_path_factory.mktemp("superfences")
    (root / "there.toml").write_text("x = 1\n")
    pages = [text for text, _ in CONTAINERS] + HEADERS + [fault[0] for fault in FAULTS] + RIGHT
    settings = Settings(files={"justfile": "just"}, fences={"chart": "it is drawn for readers"})
    return root, read(root, SUPERFENCES, pages, settings)


@pytest.mark.parametrize("number", range(len(CONTAINERS)))
def test_blocks_are_found_where_the_site_shows_them(site: Site, number: int) -> None:
    """A fence is a block in quotes, lists, tabs, admonitions, with each kind of header."""
    text, line = CONTAINERS[number]
    block = only(page_of(site[1], number))
    assert (block.line, block.lines, block.at(0)) == (line, ("$ true",), line + 1)
    assert (block.kind, block.literal, block.place) == ("console", True, 0)
    own = text.removeprefix("\ufeff").replace("\r\n", "\n").split("\n")
    assert own[line] == f"{block.prefix}$ true"


@pytest.mark.parametrize("number", range(len(KINDS)))
def test_the_header_says_what_is_done(site: Site, number: int) -> None:
    """Language and title say which kind claims a block; languages are Pygments's aliases."""
    header, lexer, kind = KINDS[number]
    page = page_of(site[1], len(CONTAINERS) + number)
    (block,) = page.blocks
    assert (block.lexer, block.kind) == (lexer, kind)
    assert not page.faults, header


@pytest.mark.parametrize("number", range(len(FAULTS)))
def test_what_cannot_be_checked_is_a_fault(site: Site, number: int) -> None:
    """What the site misreads, and what no kind can check, is named with the way out."""
    _, line, rule, message = FAULTS[number]
    page = page_of(site[1], len(CONTAINERS) + len(KINDS) + number)
    (fault,) = page.faults
    assert (fault.line, fault.rule) == (line, rule)
    assert message in fault.message
    assert "\n" not in fault.message


@pytest.mark.parametrize("number", range(len(RIGHT)))
def test_what_is_right_is_no_fault(site: Site, number: int) -> None:
    """Escaped and quoted notation, captions, and Python that cannot be parsed, are no faults."""
    first = len(CONTAINERS) + len(KINDS) + len(FAULTS)
    assert page_of(site[1], first + number).faults == ()


def test_the_attributes_of_a_block_are_its_options(site: Site) -> None:
    """What a fence says beside language and title is kept, with or without braces."""
    captioned = page_of(site[1], next(n for n, c in enumerate(CONTAINERS) if "caption" in c[0]))
    assert captioned.blocks[0].options == {"hl_lines": "1"}
    assert captioned.blocks[0].title == "A caption"
    number = next(n for n, kind in enumerate(KINDS) if "fixture" in kind[0])
    fixture = page_of(site[1], len(CONTAINERS) + number)
    assert fixture.blocks[0].options == {"fixture": "tmp_path"}


MISREAD = (
    FENCE + "\n```python notest\nx\n```\n\n" + FENCE + "\n" + FENCE + "\n```python\nassert 1\n```\n"
)


@pytest.fixture(scope="module")
def others(tmp_path_factory: pytest.TempPathFactory) -> SiteReading:
    """Pages that more than one thing is asked of."""
    root = tmp_path_factory.mktemp("others")
    (root / "code.py").write_text("a = 1\nb = 2\nc = 3\n")
    (root / "one.txt").write_text("only\n")
    (root / "part.md").write_text(
        "```python\nassert False\n```\n\nText.\n\n```python\nassert True\n```\n"
    )
    (root / "twice.md").write_text("```console\n$ true\n```\n\n```console\n$ true\n```\n")
    (root / "deep.md").write_text('--8<-- "twice.md"\n')
    (root / "self.md").write_text('text\n--8<-- "self.md"\n')
    (root / "bytes.bin").write_bytes(b"\x00\xff\xfe")
    (root / "section.py").write_text("# --8<-- [start:a]\nx = 1\n# --8<-- [end:a]\n")
    pages = [
        MISREAD,
        '# Title\n\n```python title="code.py"\n--8<-- "code.py"\n```\n\n' + FENCE,
        '# Shared part\n\n--8<-- "part.md"\n\n' + FENCE,
        '# Deep\n\n- item\n\n    --8<-- "deep.md"\n',
        "# T\n\n--8<--\ntwice.md\n\n; not.md\n--8<--\n\n" + FENCE,
        '```python\n--8<-- "missing.py"\n```\n\n--8<-- "docs"\n\n--8<-- "bytes.bin"\n\n'
        '--8<-- "self.md"\n\n--8<-- "section.py:b"\n\n' + FENCE,
        '```python\n--8<-- "section.py:a"\n```\n\ntext\n\n--8<--\nnever.md\n',
        '```text title="Not run: it is one line of a snippet"\n--8<-- "one.txt"\n```\n',
        '!!! note\n\n    ```python title="code.py"\n    --8<-- "code.py"\n    ```\n',
    ]
    return read(root, SUPERFENCES, pages, Settings())


def test_blocks_around_a_misread_fence_are_still_checked(others: SiteReading) -> None:
    """A fault hides nothing that is read well, and no fault that it causes is reported."""
    page = page_of(others, 0)
    assert [(fault.line, fault.rule) for fault in page.faults] == [(5, "unread-fence")]
    assert page.blocks[0].line == 1


def test_lines_of_a_snippet_are_counted_on_the_page(others: SiteReading) -> None:
    """A snippet's lines have the page's line of the snippet; what follows keeps its own."""
    excerpt, console = page_of(others, 1).blocks
    assert excerpt.lines[:3] == ("a = 1", "b = 2", "c = 3")
    assert set(excerpt.lines_at) == {4}
    assert not excerpt.literal
    assert (console.line, console.literal) == (7, True)
    indented_one = page_of(others, 8).blocks[0]
    assert (indented_one.lines[0], indented_one.at(0), indented_one.prefix) == ("a = 1", 4, "    ")


def test_blocks_of_one_snippet_are_told_apart(others: SiteReading) -> None:
    """Two blocks of a snippet have its line and each a place of its own."""
    page = page_of(others, 2)
    assert [(block.place, block.line) for block in page.blocks] == [(0, 3), (1, 3), (2, 5)]
    assert [block.text for block in page.blocks[:2]] == ["assert False\n", "assert True\n"]
    assert [block.literal for block in page.blocks] == [False, False, True]


def test_snippets_in_snippets_and_in_blocks_of_paths_are_put_in(others: SiteReading) -> None:
    """Each form of snippet is read, and each block has the line of the page's own notation."""
    assert [block.line for block in page_of(others, 3).blocks] == [5, 5]
    assert page_of(others, 3).faults == ()
    assert [block.line for block in page_of(others, 4).blocks] == [4, 4, 9]
    assert others.snippets["docs/p3.md"] == ("deep.md", "twice.md")


def test_one_line_of_a_snippet_is_not_the_page_s(others: SiteReading) -> None:
    """A block is literal only if the page's own source says what it shows."""
    (block,) = page_of(others, 7).blocks
    assert (block.lines[0], block.literal) == ("only", False)


def test_each_broken_snippet_is_a_fault_and_hides_nothing(others: SiteReading) -> None:
    """A missing file, a folder, bytes, a circle, no such section: one line each."""
    page = page_of(others, 5)
    told = [(fault.line, fault.message) for fault in page.faults if fault.rule == "snippet"]
    assert [line for line, _ in told] == [2, 5, 7, 9, 11]
    for (_, message), said in zip(
        told,
        ["'missing.py'", "'docs' is a folder", "not text", "includes itself", "'b'"],
        strict=True,
    ):
        assert said in message
        assert str(others.root) not in message
    assert page.blocks[-1].line == 13
    unclosed = page_of(others, 6)
    assert [(fault.line, fault.rule) for fault in unclosed.faults] == [(7, "snippet")]
    assert unclosed.blocks[0].lines[0] == "x = 1"


# Every container at once, for the comparison with what MkDocs builds.
CONTAINED = [
    text.replace("$ true", f"$ echo {number}")
    for number, (text, _) in enumerate(CONTAINERS)
    if not text.startswith(("---", "\ufeff"))
]
IN_HTML = """
````markdown
```console
$ inner
```
````

``` { .python title="Not run: it <b>shows</b> &amp; escapes" }
print("<&>")  # é
```

<!--
```console
$ hidden
```
-->

Text.

    ```console
    $ indented code
    ```
"""


def shown_by_mkdocs(root: Path) -> list[str]:
    """Build the site with MkDocs itself; return the text of each code block of its page."""
    done = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--quiet", "--site-dir", str(root / "site")],
        cwd=root,
        check=False,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    built = re.sub(r"<!--.*?-->", "", (root / "site/p0/index.html").read_text(), flags=re.DOTALL)
    texts = re.findall(r"<pre\b[^>]*>(.*?)</pre>", built, re.DOTALL)
    return [html.unescape(re.sub(r"<[^>]+>", "", text)).strip("\n") for text in texts]


@pytest.mark.parametrize(
    ("config", "texts", "least"),
    [
        (SUPERFENCES, CONTAINED, 20),
        (
            DEFAULT,
            [text for text in CONTAINED if re.match("```|~~~|text", text) and "title" not in text],
            6,
        ),
    ],
    ids=["superfences", "fenced_code"],
)
def test_blocks_are_those_of_the_built_page(
    tmp_path: Path, config: str, texts: Sequence[str], least: int
) -> None:
    """A canary: what is found equals the code blocks of the HTML that MkDocs itself builds.

    It fails when a new version of superfences or Python-Markdown parses otherwise than it is
    watched to.
    """
    texts = [*texts, IN_HTML]
    page = page_of(read(tmp_path, config, ["\n\n".join(texts)], Settings()), 0)
    built = Counter(shown_by_mkdocs(tmp_path))
    found = Counter("\n".join(block.lines) for block in page.blocks)
    assert found.total() >= least
    not_a_fence = Counter(["```console\n$ indented code\n```"])
    assert built == found + not_a_fence
    assert [fault.rule for fault in page.faults].count("unseen-fence") == (
        2 if config == SUPERFENCES else 1
    )


DEFAULT_PAGES: Mapping[str, list[tuple[int, str, tuple[str, ...]]]] = {
    "# T\n\n" + FENCE: [(3, "console", ("$ true",))],
    '``` { .python title="new.py" hl_lines="1" }\nx = 1\n```\n': [(1, "file", ("x = 1",))],
    '~~~python hl_lines="1"\nassert 1\n~~~\n': [(1, "python", ("assert 1",))],
    "```.python\nassert 1\n```\n": [(1, "python", ("assert 1",))],
    "> quoted\n\n" + FENCE + "\n" + FENCE: [
        (3, "console", ("$ true",)),
        (7, "console", ("$ true",)),
    ],
    "text\n````text\n```\n\nx\n```\n````\nmore\n" + FENCE: [
        (2, "quote", ("```", "", "x", "```")),
        (9, "console", ("$ true",)),
    ],
}
DEFAULT_FAULTS = [
    ("- item\n\n" + indented(FENCE), 3, "unread-fence", "pymdownx.superfences"),
    ("> " + FENCE.replace("\n", "\n> "), 1, "unread-fence", "pymdownx.superfences"),
    ('```python title="x.py"\nx\n```\n', 1, "unread-fence", '```{ .python title="x.py" }'),
    ("```\nx\n```\n", 1, "no-language", "a fence without a language"),
    ("<!--\n" + FENCE + "-->\n", 2, "unseen-fence", "readers do not see this fence"),
    ("```python\nx\n", 1, "unread-fence", "is never closed"),
]


@pytest.fixture(scope="module", params=["", "  - codehilite: {linenums: true}\n"])
def default_site(
    tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest
) -> SiteReading:
    """A site without superfences, with and without colours."""
    config = DEFAULT.replace(
        "[admonition, attr_list]", "\n  - admonition\n  - attr_list\n" + request.param
    )
    pages = [*DEFAULT_PAGES, *(fault[0] for fault in DEFAULT_FAULTS)]
    return read(tmp_path_factory.mktemp("default"), config, pages, Settings())


def test_mkdocs_default_fences_are_read_as_superfences_are(default_site: SiteReading) -> None:
    """Python-Markdown's own fences are blocks, with their attributes, at their lines."""
    for number, blocks in enumerate(DEFAULT_PAGES.values()):
        page = page_of(default_site, number)
        assert page.faults == ()
        assert [(block.line, block.kind, block.lines) for block in page.blocks] == blocks
    assert page_of(default_site, 1).blocks[0].options == {"hl_lines": "1"}


def test_what_default_fences_do_not_read_is_a_fault(default_site: SiteReading) -> None:
    """A fence that only superfences would read is told, and so is one that readers do not see."""
    for number, (_, line, rule, message) in enumerate(DEFAULT_FAULTS):
        fault = page_of(default_site, len(DEFAULT_PAGES) + number).faults[0]
        assert (fault.line, fault.rule) == (line, rule)
        assert message in fault.message


def test_tabs_that_superfences_preserves_keep_their_lines(tmp_path: Path) -> None:
    """With `preserve_tabs` a block has its tabs, and each line its place."""
    config = SUPERFENCES.replace("custom_fences:", "preserve_tabs: true\n      custom_fences:")
    text = (
        "# T\n\n!!! note\n\n    ```bash\n    if true; then\n    \ttrue\n    fi\n    ```\n\n" + FENCE
    )
    script, console = page_of(read(tmp_path, config, [text], Settings()), 0).blocks
    assert script.lines == ("if true; then", "\ttrue", "fi")
    assert (script.line, script.at(1), console.line) == (5, 7, 11)


def test_a_page_of_many_fences_is_read_in_linear_time(tmp_path: Path) -> None:
    """Two thousand fences are found, each at its line, within the time that a page has."""
    text = "".join(f"Text {n}.\n\n```bash\ntest {n} -lt 2000\n```\n\n" for n in range(2000))
    page = page_of(read(tmp_path, SUPERFENCES, [text], Settings()), 0)
    assert page.faults == ()
    assert [block.line for block in page.blocks] == list(range(3, 12_000, 6))
