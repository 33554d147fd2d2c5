"""Which files a project has, how they are copied, and which of them have changed."""

import os
import subprocess
from pathlib import Path

import pytest
from mkdocs_blocks.checkout import Checkout, copy_project, project_files


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project that is no git checkout."""
    root = tmp_path / "project"
    (root / "docs").mkdir(parents=True)
    (root / "kept.txt").write_text("kept\n")
    (root / "docs" / "index.md").write_text("# Index\n")
    return root


@pytest.fixture
def checkout(project: Path) -> Path:
    """The same as a git checkout with one commit's worth of files."""
    git(project, "init", "-q")
    (project / ".gitignore").write_text("ignored\nuv.lock\n")
    git(project, "add", ".")
    return project


def git(root: Path, *arguments: str) -> None:
    """Run git in a folder, without the settings of whoever runs the tests."""
    subprocess.run(
        ["git", *arguments],
        cwd=root,
        check=True,
        env={"PATH": os.environ["PATH"], "GIT_CONFIG_GLOBAL": os.devnull},
    )


def names_below(folder: Path) -> set[str]:
    """Return the names of the files and links below a folder."""
    return {
        str(path.relative_to(folder))
        for path in folder.rglob("*")
        if path.is_symlink() or path.is_file()
    }


def test_a_checkout_is_copied_as_git_sees_it(checkout: Path, tmp_path: Path) -> None:
    """Tracked and new files are copied, ignored ones are not, but for a lock file."""
    for name in ("ignored", "uv.lock", "new.txt"):
        (checkout / name).write_text(name)
    (checkout / "kept.txt").unlink()
    copy_project(checkout, tmp_path / "copy")
    assert names_below(tmp_path / "copy") == {".gitignore", "docs/index.md", "new.txt", "uv.lock"}


def test_a_folder_of_a_checkout_is_copied_alone(checkout: Path, tmp_path: Path) -> None:
    """A site need not be at the top of its repository."""
    (checkout / "docs" / "ignored").touch()
    copy_project(checkout / "docs", tmp_path / "copy")
    assert names_below(tmp_path / "copy") == {"index.md"}


def test_the_variables_of_a_git_hook_do_not_count(
    checkout: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A hook that runs the checker has the index of its own repository in its environment."""
    monkeypatch.setenv("GIT_INDEX_FILE", "/nowhere")
    monkeypatch.setenv("GIT_DIR", "/nowhere")
    assert "kept.txt" in project_files(checkout)


def test_links_are_copied_as_links(checkout: Path, tmp_path: Path) -> None:
    """To files and to folders, and to what is not there."""
    links = {"link": "kept.txt", "folder": "docs", "dangling": "nowhere", "docs/up": ".."}
    for name, to in links.items():
        (checkout / name).symlink_to(to)
    copy_project(checkout, tmp_path / "copy")
    copied = {name: os.readlink(tmp_path / "copy" / name) for name in links}  # noqa: PTH115 - str
    assert copied == links


def test_modes_and_times_are_copied(checkout: Path, tmp_path: Path) -> None:
    """A script can be run, and what looks at times sees no change."""
    (checkout / "run.sh").write_text("true\n")
    (checkout / "run.sh").chmod(0o755)
    os.utime(checkout / "run.sh", (1, 2))
    copy_project(checkout, tmp_path / "copy")
    copied = (tmp_path / "copy" / "run.sh").stat()
    assert (copied.st_mode & 0o777, copied.st_mtime) == (0o755, 2)


def test_without_git_what_is_not_the_projects_is_left_out(project: Path, tmp_path: Path) -> None:
    """Environments, caches and the built site; a folder called so elsewhere is content."""
    for name in (
        *(".git/config", ".venv/pyvenv.cfg", "env/pyvenv.cfg", "env/bin/python", "site/index.html"),
        *("docs/__pycache__/a.pyc", ".mypy_cache/a", "node_modules/a/index.js"),
        *("docs/site/page.md", ".hidden"),
    ):
        (project / name).parent.mkdir(parents=True, exist_ok=True)
        (project / name).touch()
    os.mkfifo(project / "pipe")
    (project / "linked").symlink_to("docs")
    copy_project(project, tmp_path / "copy")
    assert names_below(tmp_path / "copy") == {
        *("kept.txt", "docs/index.md", "docs/site/page.md", ".hidden", "linked")
    }


def test_no_change_is_none(checkout: Path) -> None:
    """Nor is a file that was written again as it was, and one that git ignores."""
    before = Checkout(checkout)
    (checkout / "kept.txt").write_text("kept\n")
    (checkout / "ignored").touch()
    assert before.changes() == []
    (checkout / "kept.txt").write_text("other\n")
    assert before.changes() == ["kept.txt"]


@pytest.mark.parametrize("name", ["new.txt", "docs/new.txt", "empty/new.txt", "a/b/new.txt"])
def test_a_new_file_is_named_wherever_it_is(checkout: Path, name: str) -> None:
    """In a folder that had no file too."""
    (checkout / "empty").mkdir()
    before = Checkout(checkout)
    assert before.changes() == []
    (checkout / name).parent.mkdir(parents=True, exist_ok=True)
    (checkout / name).touch()
    assert before.changes() == [name]
    assert before.changes() == [name]


def test_changes_are_named(checkout: Path) -> None:
    """Contents, modes, links and names; a time that was set back hides nothing."""
    (checkout / "gone.txt").touch()
    (checkout / "mode.sh").touch()
    (checkout / "link").symlink_to("kept.txt")
    (checkout / "large").write_bytes(b"\0" * 2_000_000)
    before = Checkout(checkout)
    known = (checkout / "kept.txt").stat()
    (checkout / "kept.txt").write_text("tpek\n")
    os.utime(checkout / "kept.txt", ns=(known.st_atime_ns, known.st_mtime_ns))
    (checkout / "gone.txt").unlink()
    (checkout / "mode.sh").chmod(0o755)
    (checkout / "link").unlink()
    (checkout / "link").symlink_to("gone.txt")
    (checkout / "new.txt").touch()
    with (checkout / "large").open("ab") as large:
        large.write(b"\0")
    changes = ["gone.txt", "kept.txt", "large", "link", "mode.sh", "new.txt"]
    assert before.changes() == changes
    before.take_again()
    assert before.changes() == []


def test_a_file_that_becomes_ignored_is_not_a_removed_one(checkout: Path) -> None:
    """What was written is the list of what git ignores, and that is a change."""
    (checkout / "new.txt").touch()
    before = Checkout(checkout)
    (checkout / ".gitignore").write_text("ignored\nuv.lock\nnew.txt\n")
    assert before.changes() == [".gitignore"]
