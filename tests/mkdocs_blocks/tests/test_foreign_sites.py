"""The built wheel, installed as a stranger would, on sites that this distribution knows nothing of.

The exact versions are those of the project around this one, if it has any.
"""

import json
import re
import subprocess
import tomllib
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

Done = subprocess.CompletedProcess[str]
Check = Callable[..., Done]

pytestmark = pytest.mark.xdist_group("wheel")  # what they share is made once

DISTRIBUTION = Path(__file__).parents[1]


def uv(*arguments: str | Path, folder: Path) -> None:
    """Run uv in a folder; fail with what it prints."""
    done = subprocess.run(
        ["uv", *arguments],
        cwd=folder,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout


def exact_versions() -> list[str]:
    """Return the pins of the project around this distribution; none when there is none."""
    for folder in DISTRIBUTION.parents:
        project = folder / "pyproject.toml"
        if project.is_file():
            with project.open("rb") as stream:
                tools = tomllib.load(stream).get("tool", {})
            return list(tools.get("uv", {}).get("constraint-dependencies", []))
    return []


@pytest.fixture(scope="session")
def install(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], str]:
    """Install the wheel, which is built once, into a new environment; return its interpreter."""
    folder = tmp_path_factory.mktemp("wheel")
    uv("build", "--quiet", "--wheel", "--out-dir", folder, DISTRIBUTION, folder=folder)
    (wheel,) = folder.glob("*.whl")
    (folder / "constraints.txt").write_text("\n".join(exact_versions()))

    def made(extra: str) -> str:
        environment = folder / f"environment{extra}"
        uv("venv", "--quiet", environment, folder=folder)
        uv(
            *("pip", "install", "--quiet", "--python", environment),
            *("--constraint", "constraints.txt", f"{wheel}{extra}"),
            folder=folder,
        )
        return str(environment / "bin" / "python")

    return made


@pytest.fixture(scope="session")
def bare(install: Callable[[str], str]) -> str:
    """The interpreter of an environment that has the wheel and what it needs."""
    return install("")


@pytest.fixture(scope="session")
def full(install: Callable[[str], str]) -> str:
    """The interpreter of an environment that has superfences, too."""
    return install("[superfences]")


@pytest.fixture
def site(tmp_path: Path) -> Callable[[Mapping[str, str]], Path]:
    """Write the files of a site; return its folder."""

    def write(files: Mapping[str, str]) -> Path:
        root = tmp_path / "a site"
        for name, text in files.items():
            path = root / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        return root

    return write


def told(done: Done) -> list[str]:
    """Return the lines that begin with a place: what is wrong."""
    return re.findall(r"^[^\s:]+:\d+: .*$", done.stdout, re.MULTILINE)


SUPERFENCES = "site_name: A site\nmarkdown_extensions: [pymdownx.superfences]\n"
HOME = """\
# Home

```console
$ echo hello
hello
```

```python
assert 1 + 1 == 2
```
"""


def test_a_site_without_superfences(bare: str, checker: Check, site: Callable[..., Path]) -> None:
    """MkDocs's default fences are enough, in an environment that has no others."""
    root = site({"mkdocs.yml": "site_name: A site\n", "docs/index.md": HOME})
    done = checker(root, "--docs", python=bare)
    assert done.returncode == 0, done.stdout
    assert "2 blocks on 1 pages: 2 run" in done.stdout
    (root / "docs/index.md").write_text(HOME.replace("\nhello\n", "\ngood-bye\n"))
    done = checker(root, "--docs", python=bare)
    assert told(done) == [
        "docs/index.md:5: `echo hello` printed something else (- the page, + the run)"
    ]


def test_a_site_without_a_pyproject(full: str, checker: Check, site: Callable[..., Path]) -> None:
    """No project, no ini file, no git: blocks use the environment of the checker."""
    page = (
        '# Home\n\n=== "A tab"\n\n    ```python title="tea.py"\n    print("tea")\n    ```\n\n'
        "    ```console\n    $ python tea.py\n    tea\n"
        "    $ python -c 'import mkdocs_blocks'\n    ```\n"
    )
    extensions = "[pymdownx.superfences, pymdownx.tabbed: {alternate_style: true}]"
    root = site(
        {
            "mkdocs.yml": f"site_name: A site\nmarkdown_extensions: {extensions}\n",
            "requirements.txt": "",
            "docs/index.md": page,
        }
    )
    done = checker(root, "--docs", python=full)
    assert done.returncode == 0, done.stdout
    assert "docs/index.md: 1 run, 1 checked, 0 excused" in done.stdout


PYPROJECT = """\
[project]
name = "greeter"
version = "1.0"
requires-python = ">=3.11"
[project.scripts]
greet = "greeter:main"
[dependency-groups]
docs = ["pytest>=8.4", "pytest-markdown-docs>=0.9.2"]
[build-system]
requires = ["uv_build>=0.8,<1"]
build-backend = "uv_build"
[tool.uv]
constraint-dependencies = {constraints}
[tool.pytest.ini_options]
addopts = "--strict-config"
mkdocs_blocks_install = "uv sync --quiet --no-default-groups --group docs"
"""
GREETER = '''\
"""Greets."""


def main() -> None:
    """Say hello."""
    print("hello")
'''


def test_a_site_with_dependency_groups(
    full: str, checker: Check, site: Callable[..., Path]
) -> None:
    """Its own command installs a sandbox; its blocks see what that has, not the checker's."""
    page = (
        "# Greeter\n\n```console\n$ uv run --no-sync greet\nhello\n"
        "$ uv run --no-sync python -c 'import mkdocs_blocks'\n...\nModuleNotFoundError: [..]\n"
        "$ echo $?\n1\n```\n\n"
        '```python title="conftest.py"\nimport pytest\n\nimport greeter\n\n\n'
        "@pytest.fixture\ndef greet():\n    return greeter.main\n```\n\n"
        '```{.python fixture="greet capsys"}\ngreet()\n'
        "assert capsys.readouterr().out == 'hello\\n'\n```\n"
    )  # fmt: skip
    root = site(
        {
            "pyproject.toml": PYPROJECT.format(constraints=json.dumps(exact_versions())),
            "src/greeter/__init__.py": GREETER,
            "mkdocs.yml": SUPERFENCES,
            "docs/index.md": page,
        }
    )
    done = checker(root, "--docs", python=full)
    assert done.returncode == 0, done.stdout
    assert "docs/index.md: 2 run, 1 checked, 0 excused" in done.stdout
    assert not (root / ".venv").exists()
    (root / "pyproject.toml").write_text(
        (root / "pyproject.toml").read_text().replace("--group docs", "--group pages")
    )
    (line,) = {line.split(" ", 1)[1] for line in told(checker(root, "--docs", python=full))}
    assert line.startswith(
        "the install command `uv sync --quiet --no-default-groups --group pages`"
    )


HOOKS = """\
from mkdocs.structure.files import File


def on_files(files, config):
    files.append(File.generated(config, "made.md", content="# Made\\n\\n```bash\\ntrue\\n```\\n"))


def on_page_markdown(markdown, page, **_):
    return markdown.replace("$ echo hello\\nhello", "$ echo other\\nother")
"""


def test_what_hooks_make_is_told(full: str, checker: Check, site: Callable[..., Path]) -> None:
    """A page and a block that readers see and that no file has: one line each, and a failed run."""
    root = site(
        {
            "mkdocs.yml": f"{SUPERFENCES}hooks: [hooks.py]\n",
            "hooks.py": HOOKS,
            "docs/index.md": HOME,
            "docs/other.md": "# Other\n\n```console\n$ true\n```\n",
        }
    )
    done = checker(root, "--docs", python=full)
    assert done.returncode == pytest.ExitCode.TESTS_FAILED
    made, changed = sorted(told(done), reverse=True)
    assert made.startswith("docs/made.md:1: a plugin or a hook makes this page")
    assert changed.startswith("docs/index.md:3: a plugin, a hook or a Markdown extension makes or")
    assert "docs/other.md: 1 run, 0 checked, 0 excused" in done.stdout


@pytest.mark.parametrize("by", ["baseline", "soften"])
def test_a_site_with_hooks_can_be_adopted(
    full: str, checker: Check, site: Callable[..., Path], by: str
) -> None:
    """What its plugins do to it can be listed, or softened with a reason, and is counted."""
    hooks = f"{HOOKS}\n\ndef on_config(config):\n    config.markdown_extensions.append('abbr')\n"
    rules = ("added-extension", "changed-block", "generated-page")
    lines = "".join(f"    {rule}: our own plugin does this\n" for rule in rules)
    root = site(
        {
            "mkdocs.yml": f"{SUPERFENCES}hooks: [hooks.py]\n",
            "hooks.py": hooks,
            "pytest.ini": f"[pytest]\nmkdocs_blocks_soften =\n{lines}" if by == "soften" else "",
            "docs/index.md": HOME,
        }
    )
    if by == "baseline":
        assert checker(root, "--docs", python=full).returncode == pytest.ExitCode.TESTS_FAILED
        listed = checker(root, "--docs-baseline", python=full)
        assert listed.returncode == 0, listed.stdout
        assert "3 not proven yet" in listed.stdout, listed.stdout  # the blocks themselves are
    done = checker(root, "--docs", python=full)
    assert done.returncode == 0, done.stdout
    counted = "3 in the baseline" if by == "baseline" else "3 softened"
    assert f"2 blocks on 2 pages: 2 run, 0 checked, 0 excused, {counted}" in done.stdout


WRONG = "# T\n\n```console\n$ echo right\nwrong\n```\n"


def test_pages_are_where_the_site_has_them(
    full: str, checker: Check, site: Callable[..., Path]
) -> None:
    """The configuration in a folder of its own, pages beside it, by any name that MkDocs takes."""
    shown = [
        *("index.md", "build/linux.md", "dist/x.md", "node_modules/y.md", "venv/z.md"),
        *("guide/page.markdown", "drafts/new.md", "apart/old.md", "guide/README.md"),
    ]
    root = site(
        {
            "pytest.ini": "[pytest]\nmkdocs_blocks_config = site/mkdocs.yml\n",
            "site/mkdocs.yml": f"{SUPERFENCES}docs_dir: ../pages\nnav: [index.md]\n"
            "draft_docs: /drafts/\nnot_in_nav: /apart/\nexclude_docs: /secret/\n",
            "pages/venv/pyvenv.cfg": "",
            "pages/README.md": "# Not shown: there is an index.md\n\n```bash\nfalse\n```\n",
            "pages/secret/x.md": WRONG,
            **{f"pages/{name}": WRONG for name in shown},
        }
    )
    done = checker(root, "--docs", "-o", "mkdocs_blocks_soften=mkdocs-warning: two of a name",
        python=full)  # fmt: skip
    said = "`echo right` printed something else (- the page, + the run)"
    assert sorted(told(done)) == sorted(f"pages/{name}:5: {said}" for name in shown)


UNASKED = """\
import sys


def test_one(pytestconfig):
    assert pytestconfig.pluginmanager.hasplugin("mkdocs_blocks")
    assert not {"mkdocs", "markdown", "mkdocs_blocks.run", "mkdocs_blocks.site"} & {*sys.modules}
"""


def test_an_installed_plugin_does_nothing_until_it_is_asked(
    bare: str, checker: Check, site: Callable[..., Path]
) -> None:
    """Also where each setting has to be known and each warning is an error; it imports nothing."""
    root = site({"mkdocs.yml": "nonsense: [", "docs/index.md": WRONG, "test_one.py": UNASKED})
    options = ("--strict-config", "--strict-markers", "-W", "error")
    done = checker(root, *options, python=bare)
    assert done.returncode == 0, done.stdout
    assert "1 passed" in done.stdout
    assert "blocks of the docs" not in done.stdout
    (root / "pytest.ini").write_text("[pytest]\nmkdocs_blocks = true\n")
    done = checker(root, *options, python=bare)
    assert done.returncode == pytest.ExitCode.USAGE_ERROR
    assert "\nERROR: mkdocs.yml:1: " in done.stdout
