"""What git checks before a commit: each hook passes, and refuses what it is there for."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from mkdocs_blocks.checkout import copy_project

PROJECT = Path(__file__).parents[2]
HOOKS = yaml.safe_load((PROJECT / ".pre-commit-config.yaml").read_text(encoding="utf-8"))["repos"]
REFUSED = {
    # What is broken: (file, what is there, what is put in its place)
    "ruff-format": (
        "tests/project/update.py",
        "def update(project: Path)",
        "def update( project:Path)",
    ),
    "ruff-check": ("tests/project/update.py", "import sys\n", "import os\nimport sys\n"),
    "just": ("justfile", "build: install\n", "build: instal\n"),
    "actionlint": (".github/workflows/ci.yml", "needs: test\n", "needs: tests\n"),
    "zizmor": (".github/workflows/ci.yml", "permissions: {}\n", "permissions: write-all\n"),
    "build": ("docs/taking-part.md", "(DEVELOPMENT.md)", "(DEVELOPMENTS.md)"),
}


ALONE = {"build": "Aborted with 1 warnings in strict mode!"}
"""Slow hooks, and what each says when it has nothing else to refuse: it need not pass before."""


@pytest.fixture(scope="module")
def repository(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the project that is a repository of its own, with everything in its index."""
    copy = tmp_path_factory.mktemp("repository") / "project"
    copy_project(PROJECT, copy)
    for command in (["git", "init", "--quiet"], ["git", "add", "--all"]):
        subprocess.run(command, cwd=copy, check=True)
    return copy


def run(repository: Path, hook: str) -> subprocess.CompletedProcess[str]:
    """Run a hook over all files of a repository."""
    # The copy has no environment of its own, and must not install itself into this one.
    own = {"UV_PROJECT_ENVIRONMENT": sys.prefix, "UV_NO_SYNC": "1", "JUST_NO_DEPS": "true"}
    return subprocess.run(
        [sys.executable, "-m", "prek", "run", "--all-files", hook],
        cwd=repository,
        env=os.environ | own | {"PREK_HOME": str(repository.parent / "prek")},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=300,
        check=False,
    )


def test_hooks_need_nothing_but_the_project() -> None:
    """Every hook is a command of the project's own; each is refused something below."""
    hooks = [hook for place in HOOKS for hook in place["hooks"]]
    assert {place["repo"] for place in HOOKS} == {"local"}
    assert {hook["language"] for hook in hooks} == {"system"}
    assert {hook["entry"].split()[0] for hook in hooks} == {"uv", "just"}
    assert [hook["id"] for hook in hooks] == list(REFUSED)


@pytest.mark.parametrize("hook", REFUSED)
def test_a_hook_passes_and_refuses(repository: Path, hook: str) -> None:
    """The project as it is passes; the one thing that the hook is there for does not."""
    if hook not in ALONE:
        passed = run(repository, hook)
        assert passed.returncode == 0, passed.stdout
        assert "Passed" in passed.stdout
    name, old, new = REFUSED[hook]
    file = repository / name
    text = file.read_text(encoding="utf-8")
    assert text.count(old) == 1
    kept = repository.parent / "kept"
    shutil.copy(file, kept)
    file.write_text(text.replace(old, new), encoding="utf-8")
    try:
        refused = run(repository, hook).stdout
        assert "Failed" in refused
        assert ALONE.get(hook, "") in refused
    finally:
        shutil.copy(kept, file)
