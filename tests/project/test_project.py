"""The project's own files agree with each other."""

import importlib.metadata
import json
import re
import subprocess
import tomllib
from pathlib import Path
from typing import Any

from tests.project.update import locked

PROJECT = Path(__file__).parents[2]
README = (PROJECT / "README.md").read_text(encoding="utf-8")


def tracked() -> list[str]:
    """Return the project's files as git would commit them; all of them where there is no git."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=PROJECT,
        capture_output=True,
        text=True,
        check=True,
    )
    return [name for name in listed.stdout.splitlines() if (PROJECT / name).is_file()]


def test_every_package_is_pinned() -> None:
    """The pins in pyproject.toml are what uv resolves: no package more, none less."""
    lock = tomllib.loads((PROJECT / "uv.lock").read_text(encoding="utf-8"))
    settings = tomllib.loads((PROJECT / "pyproject.toml").read_text(encoding="utf-8"))
    assert set(settings["tool"]["uv"]["constraint-dependencies"]) == set(locked(lock))


def justfile() -> Any:  # noqa: ANN401 - JSON has any type
    """Return the justfile as just itself reads it."""
    dumped = subprocess.run(
        ["just", "--dump", "--dump-format", "json"],
        cwd=PROJECT,
        capture_output=True,
        text=True,
        check=True,
    )
    return json.loads(dumped.stdout)


def test_readme_names_recipes_that_exist() -> None:
    """Each `just …` of README is a recipe, and each recipe says in one line what it does."""
    recipes = justfile()["recipes"]
    named = set(re.findall(r"\bjust ([a-z][a-z-]*)", README))
    assert {"serve", "test"} <= named <= recipes.keys()
    for name, recipe in recipes.items():
        assert recipe["doc"], f"{name} has no description"


def test_what_a_recipe_is_given_is_not_read_by_a_shell() -> None:
    """A recipe with parameters passes them on as they are, none becomes a part of its text."""
    file = justfile()
    assert file["settings"]["positional_arguments"]
    with_parameters = [recipe for recipe in file["recipes"].values() if recipe["parameters"]]
    assert with_parameters
    for recipe in with_parameters:
        parts = [part for line in recipe["body"] for part in line]
        assert any(isinstance(part, str) and '"$@"' in part for part in parts), recipe["name"]
        names = {parameter["name"] for parameter in recipe["parameters"]}
        pasted = {part[0][1] for part in parts if isinstance(part, list)}
        assert not names & pasted, recipe["name"]


def test_no_file_has_an_address_of_the_repository() -> None:
    """It is said in the environment alone: the site reads it there, and a release adds it."""
    site = (PROJECT / "mkdocs.yml").read_text(encoding="utf-8")
    assert re.findall(r"^(?:site|repo)_url: .*", site, re.MULTILINE) == [
        "site_url: !ENV SITE_URL",
        "repo_url: !ENV REPOSITORY_URL",
    ]
    for folder in (".", "examples/grpc_guard", "tests/mkdocs_blocks"):
        settings = tomllib.loads((PROJECT / folder / "pyproject.toml").read_text(encoding="utf-8"))
        assert "urls" not in settings["project"], folder


def test_the_guard_is_not_in_the_environment_of_the_project() -> None:
    """Crashes are shown there: no session loads the guard unless it is told to."""
    assert "pytest-grpc-guard" not in {
        distribution.name for distribution in importlib.metadata.distributions()
    }


def test_readme_maps_the_folders() -> None:
    """Each folder of the map exists, and no folder of the first two levels is missing."""
    named = set(re.findall(r"`([\w./-]+/)`", README))
    assert all((PROJECT / name).is_dir() for name in named)
    folders = {"/".join(name.split("/")[:2]) + "/" for name in tracked() if name.count("/") > 1}
    hidden = {name for name in folders if name.startswith(".")}
    assert folders - hidden - named <= {"docs/known-issues/"}


def test_readme_links_to_files_that_exist() -> None:
    """Its picture and its links lead somewhere."""
    targets = re.findall(r"\]\((?!http)([^)#]+)", README)
    assert targets
    assert [name for name in targets if not (PROJECT / name).exists()] == []


def test_top_level_is_as_agreed() -> None:
    """The top level has these names and dot-files, so that a reader finds everything."""
    agreed = {
        *("LICENSE", "README.md", "docs", "examples", "justfile", "mkdocs.yml"),
        *("pyproject.toml", "tests"),
    }
    names = {name.split("/")[0] for name in tracked()}
    assert {name for name in names if not name.startswith(".")} == agreed
