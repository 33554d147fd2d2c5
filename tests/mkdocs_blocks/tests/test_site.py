"""Which pages a site has, what its plugins and hooks do to them, and what is wrong as a whole."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from mkdocs_blocks import site as site_module
from mkdocs_blocks.block import Fault, Page
from mkdocs_blocks.settings import Settings
from mkdocs_blocks.site import SiteError, SiteReading, digest_of, read_site, read_text

CONFIG = """\
site_name: A small site
plugins: []
markdown_extensions:
  - admonition
  - attr_list
  - pymdownx.snippets: {check_paths: true}
  - pymdownx.superfences
"""
WRONG = """\
# Build on Linux

```console
$ echo right
wrong
```
"""

Read = Callable[..., SiteReading]


@pytest.fixture
def read(tmp_path: Path) -> Read:
    """Write the files of a site, and read it."""

    def write_and_read(
        files: Mapping[str, str | bytes], settings: Settings | None = None
    ) -> SiteReading:
        for name, content in {"mkdocs.yml": CONFIG, "docs/index.md": "# Home\n", **files}.items():
            path = tmp_path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content.encode() if isinstance(content, str) else content)
        reading = tmp_path / ".reading"
        reading.mkdir(exist_ok=True)
        return read_site(tmp_path, settings or Settings(), into=reading)

    return write_and_read


def page_of(reading: SiteReading, name: str = "docs/index.md") -> Page:
    """Return a page by its name."""
    return next(page for page in reading.pages if page.name == name)


def faults_of(reading: SiteReading, name: str = "docs/index.md") -> list[tuple[int, str]]:
    """Return the lines and rules of a page's faults."""
    return [(fault.line, fault.rule) for fault in page_of(reading, name).faults]


def test_pages_are_those_that_mkdocs_has(read: Read, tmp_path: Path) -> None:
    """Its folders, its suffixes, drafts and what is not in the navigation; not what it excludes."""
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere/linked.md").write_text(WRONG)
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs/folder").symlink_to("../elsewhere")
    (tmp_path / "docs/file.md").symlink_to("../elsewhere/linked.md")
    shown = [
        "docs/build/linux.md",
        "docs/dist/x.md",
        "docs/venv/pyvenv.cfg.md",
        "docs/node_modules/x.md",
        "docs/guide/page.markdown",
        "docs/guide/page2.mkd",
        "docs/guide/page3.mkdn",
        "docs/guide/README.md",
        "docs/drafts/a.md",
        "docs/apart/a.md",
        "docs/UPPER CASE é.md",
    ]
    not_shown = [
        "docs/README.md",  # there is an index.md
        "docs/excluded/a.md",
        "docs/.hidden/a.md",
        "docs/templates/a.md",
        "docs/page.txt",
        "docs/page.MD",
        "other/a.md",
    ]
    reading = read(
        {
            "mkdocs.yml": CONFIG
            + "nav: [index.md]\nexclude_docs: /excluded/\ndraft_docs: /drafts/\n"
            + "not_in_nav: |\n  /apart/\n",
            "docs/venv/pyvenv.cfg": "",
            **dict.fromkeys([*shown, *not_shown], WRONG),
        }
    )
    linked = ["docs/folder/linked.md", "docs/file.md"]
    assert {page.name for page in reading.pages} == {"docs/index.md", *shown, *linked}
    for page in reading.pages[1:]:
        (block,) = page.blocks
        assert (block.line, block.kind, block.literal) == (3, "console", True)
    assert reading.docs_dir == tmp_path / "docs"
    # MkDocs itself warns that index.md takes the place of the README.
    assert [fault.rule for _, fault in reading.faults] == ["mkdocs-warning"]


def test_the_docs_folder_may_be_elsewhere(read: Read) -> None:
    """The configuration may lie in a folder of its own, and docs_dir outside of it."""
    reading = read(
        {
            "site/mkdocs.yml": CONFIG + "docs_dir: ../pages\n",
            "pages/index.md": WRONG,
            "mkdocs.yml": "not: this",
        },
        Settings(config="site/mkdocs.yml"),
    )
    assert [page.name for page in reading.pages] == ["pages/index.md"]


@pytest.mark.parametrize(
    ("data", "line", "column"),
    [
        (b"# Caf\xe9\n\n```console\n$ echo a\na\n```\n", 1, 6),
        (b"\xef\xbb\xbf# T\r\n\r\n\xff\xfe\r\n", 3, 1),
        ("# T\n".encode("utf-16"), 1, 1),
    ],
)
def test_a_page_that_is_not_utf_8_is_one_clear_line(
    read: Read, data: bytes, line: int, column: int
) -> None:
    """The byte's own line is told, and the other pages are read."""
    reading = read({"docs/a.md": data, "docs/z.md": WRONG})
    (fault,) = page_of(reading, "docs/a.md").faults
    assert (fault.line, fault.rule) == (line, "unreadable-page")
    assert "not UTF-8" in fault.message
    assert f"at column {column};" in fault.message
    assert len(page_of(reading, "docs/z.md").blocks) == 1


def test_a_page_without_permission_is_a_fault(read: Read, tmp_path: Path) -> None:
    """A broken link in the file system is a fault of that page alone."""
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs/a.md").symlink_to("nowhere.md")
    reading = read({"docs/z.md": WRONG})
    assert faults_of(reading, "docs/a.md") == [(1, "unreadable-page")]
    assert len(page_of(reading, "docs/z.md").blocks) == 1


# Hooks.


def with_hooks(hooks: str, more: str = "") -> dict[str, str]:
    """Return a site with a hook."""
    return {"mkdocs.yml": CONFIG + more + "hooks:\n  - hooks.py\n", "hooks.py": hooks}


PAGE = """\
---
title: A page
---

# Title

VERSION is out.

```console
$ true
```

Text.

```python
assert True
```
"""


def test_a_page_whose_prose_a_hook_changes_is_told(read: Read) -> None:
    """The first line that readers see otherwise is told; blocks keep their own lines."""
    hooks = (
        "def on_page_markdown(markdown, **_):\n"
        "    return 'A line.\\n\\n' + markdown.replace('VERSION', 'One\\n\\nline more')\n"
    )
    reading = read(with_hooks(hooks) | {"docs/index.md": PAGE})
    assert [block.line for block in page_of(reading).blocks] == [9, 15]
    assert all(block.literal for block in page_of(reading).blocks)
    (fault,) = page_of(reading).faults
    assert (fault.line, fault.rule) == (5, "changed-markdown")
    assert "hooks.py" in fault.message


def test_a_block_that_a_hook_makes_or_changes_is_told(read: Read) -> None:
    """Such a block is told at its place, and is the only one that is not the page's own."""
    hooks = (
        "def on_page_markdown(markdown, page, **_):\n"
        "    if page.file.src_uri == 'changed.md':\n"
        "        return markdown.replace('$ true', '$ false')\n"
        "    if page.file.src_uri == 'between.md':\n"
        "        return markdown.replace('Text.', '```console\\n$ made\\n```')\n"
        "    if page.file.src_uri == 'after.md':\n"
        "        return markdown + '\\n```console\\n$ made\\n```\\n'\n"
    )
    lines = {"changed": 9, "between": 13, "after": 18}
    reading = read(with_hooks(hooks) | {f"docs/{name}.md": PAGE for name in lines})
    for name, line in lines.items():
        page = page_of(reading, f"docs/{name}.md")
        assert [(fault.line, fault.rule) for fault in page.faults] == [(line, "changed-block")]
        assert [block.line for block in page.blocks if not block.literal] == [line]
        assert {9, 15} - {line} == {block.line for block in page.blocks if block.literal}


def test_a_page_that_a_hook_makes_is_told(read: Read) -> None:
    """A page without a file is a fault, and its blocks are known all the same."""
    hooks = (
        "from mkdocs.structure.files import File\n"
        "def on_files(files, config):\n"
        "    text = '# T\\n\\n```console\\n$ made\\n```\\n'\n"
        "    files.append(File.generated(config, 'made.md', content=text))\n"
        "    files.get_file_from_path('index.md').content_string = text\n"
    )
    reading = read(with_hooks(hooks) | {"docs/index.md": PAGE})
    assert faults_of(reading, "docs/made.md") == [(1, "generated-page")]
    (block,) = page_of(reading, "docs/made.md").blocks
    assert (block.line, block.literal) == (3, False)
    assert (9, "changed-block") in faults_of(reading)


def test_html_that_a_hook_changes_is_told(read: Read) -> None:
    """Blocks that are lost, changed or added after the Markdown was read are told."""
    hooks = (
        "import re\n"
        "def on_page_content(html, page, **_):\n"
        "    if page.file.src_uri == 'lost.md':\n"
        "        return re.sub('<pre.*?</pre>', '', html, count=1, flags=re.S)\n"
        "    if page.file.src_uri == 'changed.md':\n"
        "        return html.replace('true', 'false')\n"
        "    if page.file.src_uri == 'added.md':\n"
        "        return html + '<pre><code>$ added</code></pre>'\n"
        "    if page.file.src_uri == 'harmless.md':\n"
        "        return re.sub(' data-[a-z-]+=\"[0-9]+\"', '', html) + '<p>x</p>'\n"
    )
    names = ["lost", "changed", "added", "harmless"]
    reading = read(with_hooks(hooks) | {f"docs/{name}.md": PAGE for name in names})
    told = {name: faults_of(reading, f"docs/{name}.md") for name in names}
    assert told == {
        "lost": [(9, "changed-html")],
        "changed": [(9, "changed-html")],
        "added": [(1, "changed-html")],
        "harmless": [],
    }


def test_extensions_that_a_hook_adds_are_told_and_used(read: Read) -> None:
    """An extension that mkdocs.yml does not name is told there; blocks it makes, at the page."""
    hooks = (
        "from markdown import Extension\n"
        "from markdown.preprocessors import Preprocessor\n"
        "class Make(Preprocessor):\n"
        "    def run(self, lines):\n"
        "        text = '\\n'.join(lines)\n"
        "        return text.replace('Text.', '```bash\\nmade\\n```').splitlines()\n"
        "class Added(Extension):\n"
        "    def extendMarkdown(self, md):\n"
        "        md.preprocessors.register(Make(md), 'make', 100)\n"
        "def on_config(config):\n"
        "    config.markdown_extensions.append(Added())\n"
    )
    reading = read(with_hooks(hooks) | {"docs/index.md": PAGE})
    ((name, fault),) = reading.faults
    assert (name, fault.line, fault.rule) == ("mkdocs.yml", 9, "added-extension")
    assert "hooks.Added" in fault.message or "Added" in fault.message
    assert faults_of(reading) == [(13, "changed-block")]
    assert [block.line for block in page_of(reading).blocks] == [9, 13, 15]


def test_an_extension_may_use_attributes_without_a_value(read: Read) -> None:
    """As those do that put images in: a page with a link is read as MkDocs reads it."""
    hooks = (
        "from markdown import Extension\n"
        "from markdown.treeprocessors import Treeprocessor\n"
        "class Empty(Treeprocessor):\n"
        "    def run(self, root):\n"
        "        for element in root.iter('a'):\n"
        "            element.set('rel', None)\n"
        "class Filled(Treeprocessor):\n"
        "    def run(self, root):\n"
        "        for element in root.iter('a'):\n"
        "            del element.attrib['rel']\n"
        "class Added(Extension):\n"
        "    def extendMarkdown(self, md):\n"
        "        md.treeprocessors.register(Empty(md), 'empty', 19.995)\n"
        "        md.treeprocessors.register(Filled(md), 'filled', 1)\n"
        "def on_config(config):\n"
        "    config.markdown_extensions.append(Added())\n"
    )
    page = "# T\n\n[home](index.md) and [nowhere](no.md)\n"
    reading = read(with_hooks(hooks) | {"docs/page.md": page})
    assert faults_of(reading, "docs/page.md") == [(3, "dead-link")]


RAISED = [
    ("raise ValueError('no\\nwonder')", "ValueError: no wonder (hooks.py:3)"),
    ("raise SystemExit(0)", "SystemExit: 0 (hooks.py:5)"),
    ("return broken(markdown)", "NameError"),
    ("raise RecursionError", "RecursionError"),
    ("return 5", "'int' object"),
]


def on_each_page(bodies: Sequence[str]) -> str:
    """Return a hook that does something else on each of the pages 0.md, 1.md and so on."""
    return "def on_page_markdown(markdown, page, **_):\n" + "".join(
        f"    if page.file.src_uri == '{number}.md':\n        {body}\n"
        for number, body in enumerate(bodies)
    )


def test_what_a_hook_raises_is_a_fault_of_its_page(read: Read) -> None:
    """One page that cannot be read is one line, and the others are read."""
    names = [f"docs/{number}.md" for number in range(len(RAISED))]
    hooks = on_each_page([body for body, _ in RAISED])
    reading = read(with_hooks(hooks) | dict.fromkeys([*names, "docs/z.md"], PAGE))
    for name, (_, said) in zip(names, RAISED, strict=True):
        (fault,) = page_of(reading, name).faults
        assert (fault.line, fault.rule) == (1, "unreadable-page")
        assert said in fault.message
        assert "\n" not in fault.message
    assert len(page_of(reading, "docs/z.md").blocks) == 2


def test_a_page_that_never_ends_is_told(read: Read) -> None:
    """A hook or a parser that hangs costs one page its time, and the others are read."""
    hanging = [
        "while True: pass",
        "import re; re.match('(a+)+$', 'a' * 64 + 'b')",
        "import time\n        try: time.sleep(600)\n        except BaseException: time.sleep(600)",
    ]
    names = [f"docs/{number}.md" for number in range(len(hanging))]
    reading = read(
        with_hooks(on_each_page(hanging)) | dict.fromkeys([*names, "docs/z.md"], PAGE),
        Settings(seconds=3),
    )
    for name in names:
        assert faults_of(reading, name) == [(1, "slow-page")]
    assert len(page_of(reading, "docs/z.md").blocks) == 2


def test_warnings_of_plugins_are_told_where_they_belong(read: Read) -> None:
    """What is logged while a page is read is that page's; the rest is the site's, once."""
    hooks = (
        "import logging\n"
        "log = logging.getLogger('mkdocs.plugins.mine')\n"
        "def on_pre_build(**_):\n"
        "    log.warning('of the site')\n"
        "    log.info('no fault')\n"
        "def on_page_markdown(markdown, page, **_):\n"
        "    log.error('of the page')\n"
    )
    reading = read(with_hooks(hooks, "no_such_setting: 1\n"))
    told = [(fault.line, fault.message) for _, fault in reading.faults]
    assert told[0][0] == 8
    assert "no_such_setting" in told[0][1]
    assert told[1] == (1, "of the site")
    (fault,) = page_of(reading).faults
    assert (fault.rule, fault.message) == ("mkdocs-warning", "of the page")


# The site as a whole.

BROKEN = {
    "not YAML": ("site_name: x\nplugins: [\n", 3, "expected"),
    "no name": ("plugins: []\n", 1, "site_name"),
    "no plugin": (
        CONFIG.replace("plugins: []", "plugins:\n  - search\n  - nowhere:\n      a: 1"),
        4,
        "the plugin 'nowhere' is not installed: install what the site needs",
    ),
    "no extension": (
        CONFIG + "  - nowhere.extension\n",
        8,
        "the Markdown extension 'nowhere.extension' cannot be loaded",
    ),
    "no theme": (CONFIG + "theme:\n  name: nowhere\n", 9, "Unrecognised theme name"),
    "no such function": (
        CONFIG + "extra:\n  x: !!python/name:nowhere.module.function\n",
        9,
        "install what the site needs",
    ),
    "no docs": (CONFIG + "docs_dir: nowhere\n", 8, "docs_dir"),
    "wrong type": (CONFIG + "nav: 5\n", 8, "nav"),
    "no hook": (CONFIG + "hooks: [nowhere.py]\n", 8, "nowhere.py"),
    "broken hook": (CONFIG + "hooks:\n  - broken.py\n", 8, "ZeroDivisionError"),
    "hook that fails": (CONFIG + "hooks:\n  - fails.py\n", 9, "fails in on_config (fails.py)"),
    "hook that exits": (CONFIG + "hooks:\n  - exits.py\n", 9, "SystemExit"),
    "hook that kills": (CONFIG + "hooks:\n  - kills.py\n", 1, "ended with status"),
    "bytes": (b"site_name: \xff\n", 1, "site_name"),
    "wrong parent": (CONFIG + "INHERIT: nowhere.yml\n", 1, "nowhere.yml"),
}


@pytest.mark.parametrize("case", BROKEN)
def test_what_mkdocs_does_not_accept_is_one_line(read: Read, case: str) -> None:
    """The line of mkdocs.yml, what is wrong there, and what to do; never a traceback."""
    config, line, said = BROKEN[case]
    with pytest.raises(SiteError) as error:
        read(
            {
                "mkdocs.yml": config,
                "broken.py": "1 / 0\n",
                "fails.py": "def on_config(config):\n    raise KeyError('x')\n",
                "exits.py": "def on_config(config):\n    raise SystemExit\n",
                "kills.py": "import os\ndef on_files(files, config):\n    os._exit(3)\n",
            }
        )
    message = str(error.value)
    if case != "bytes":
        assert message.startswith(f"mkdocs.yml:{line}: "), message
        assert said in message
    assert message.startswith("mkdocs.yml:")
    assert "\n" not in message


def test_the_page_at_which_the_process_died_is_told(read: Read) -> None:
    """A hook that ends the process is found by the page that was being read."""
    hooks = (
        "import os\n"
        "def on_page_markdown(markdown, page, **_):\n"
        "    if page.file.src_uri == 'a.md':\n"
        "        print('last words', flush=True)\n"
        "        os._exit(0)\n"
    )
    with pytest.raises(SiteError, match=r"^mkdocs.yml:1: .* status 0 at docs/a.md: .*last words"):
        read(with_hooks(hooks) | {"docs/a.md": PAGE})


def test_a_plugin_that_never_ends_is_told(read: Read, monkeypatch: pytest.MonkeyPatch) -> None:
    """The whole process has a time limit, and what it has started ends with it."""
    monkeypatch.setattr(site_module, "_LEAST_SECONDS", 0.0)
    monkeypatch.setattr(site_module, "_GRACE_SECONDS", 1.0)
    hooks = "def on_config(config):\n    while True: pass\n"
    with pytest.raises(SiteError, match=r"^mkdocs.yml:1: MkDocs did not read the site within"):
        read(with_hooks(hooks), Settings(seconds=1))


def test_environment_and_tags_are_read_as_mkdocs_reads_them(
    read: Read, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`!ENV`, `!relative` and `!!python/name` work, and extensions of the project are found."""
    monkeypatch.setenv("NAME_OF_THE_SITE", "from outside")
    config = CONFIG.replace("A small site", "!ENV [NAME_OF_THE_SITE, none]").replace(
        "{check_paths: true}", "{check_paths: true, base_path: [!relative $docs_dir]}"
    )
    reading = read(
        {
            "mkdocs.yml": config + "  - own_extension\n" + "extra: {x: !!python/name:os.getcwd }\n",
            "own_extension.py": (
                "from markdown import Extension\n"
                "class makeExtension(Extension):\n"
                "    def extendMarkdown(self, md): pass\n"
            ),
            "docs/index.md": '--8<-- "part.txt"\n',
            "docs/part.txt": "```bash\ntrue\n```\n",
        }
    )
    assert page_of(reading).blocks[0].line == 1
    assert reading.snippets["docs/index.md"] == ("docs/part.txt",)


def test_a_reading_is_the_same_for_other_processes(read: Read) -> None:
    """Workers load the file that the controller has made."""
    reading = read({"docs/a.md": PAGE, "docs/b.md": "```pyhton\nx\n```\n"})
    assert SiteReading.load(reading.path) == reading


def test_the_digest_changes_with_the_blocks_alone(read: Read) -> None:
    """Prose, and where a block stands, are not in the digest; what a block says is."""
    prose = PAGE.replace("Text.", "Other\n\ntext.").replace("title: A page", "title: Another")
    changes = [("$ true", "$ false"), ("python", "python3"), ("assert True", "assert 1")]
    texts = [PAGE, prose, *(PAGE.replace(old, new) for old, new in changes)]
    reading = read({f"docs/{number}.md": text for number, text in enumerate(texts)})
    before, after, *changed = [digest_of(page) for page in reading.pages[1:]]
    assert after == before
    assert len({before, *changed}) == 1 + len(changes)


def test_one_page_can_be_read_with_another_text(read: Read, tmp_path: Path) -> None:
    """What a page would be like is known before it is written; the file stays as it is."""
    reading = read({"docs/index.md": PAGE, "docs/other.md": PAGE})
    new = PAGE.replace("$ true", "$ false").encode()
    page = read_text(tmp_path, Settings(), "docs/index.md", new, into=tmp_path)
    before = page_of(reading)
    assert page.faults == ()
    assert page.blocks == (replace(before.blocks[0], lines=("$ false",)), before.blocks[1])
    assert (tmp_path / "docs/index.md").read_text() == PAGE
    broken = read_text(tmp_path, Settings(), "docs/index.md", b"\xff", into=tmp_path)
    assert [fault.rule for fault in broken.faults] == ["unreadable-page"]
    with pytest.raises(SiteError, match=r"the site has no page docs/no\.md"):
        read_text(tmp_path, Settings(), "docs/no.md", b"", into=tmp_path)


def test_nothing_is_left_of_a_reading(read: Read, tmp_path: Path) -> None:
    """No site is built, and no folder is left in the place of temporary files."""
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TMPDIR", str(temporary))
        read({"docs/a.md": PAGE})
    assert list(temporary.iterdir()) == []
    assert not (tmp_path / "site").exists()


def test_two_faults_of_one_block_are_both_told_and_it_stays_a_block(read: Read) -> None:
    """A rule can be softened: so each fault is told by itself, and the block is still there."""
    text = '```{ .python .wide hl_lines="9" }\ndef f():\n    pass\n```\n'
    page = page_of(read({"docs/index.md": text}))
    assert {fault.rule for fault in page.faults} == {"hl-lines", "only-defines"}
    assert [block.kind for block in page.blocks] == ["python"]
    assert all(isinstance(fault, Fault) for fault in page.faults)
