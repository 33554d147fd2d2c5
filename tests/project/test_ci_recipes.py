"""The CI files that a page gives away: what they run is run on that page, and both run the same."""

import re
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest
import yaml

from tests.project.test_github import WORKFLOWS

PROJECT = Path(__file__).parents[2]
PAGE = (PROJECT / "docs/ci.md").read_text(encoding="utf-8")
GITHUB, GITLAB = "mine/.github/workflows/tests.yml", "mine/.gitlab-ci.yml"


def block(title: str) -> str:
    """Return the one block of the page that has this title."""
    (found,) = re.findall(
        rf'^ *```yaml title="{re.escape(title)}"\n(.*?)^ *```$', PAGE, re.MULTILINE | re.DOTALL
    )
    return dedent(found)


def commands(title: str) -> dict[str, list[str]]:
    """Return what each job of a file runs, without what its host does before."""
    read: dict[str, Any] = yaml.safe_load(block(title))
    if title == GITHUB:
        return {
            name: [step["run"] for step in job["steps"] if "run" in step]
            for name, job in read["jobs"].items()
        }
    before = read.pop("default")["before_script"]
    return {name: before + job["script"] for name, job in read.items() if "script" in job}


def test_both_files_run_the_same() -> None:
    """The jobs have the same names and commands, so one page can run them once."""
    jobs = commands(GITHUB)
    assert jobs == commands(GITLAB)
    assert jobs.keys() == {"tests", "forked"}


@pytest.mark.parametrize("job", ["tests", "forked"])
def test_each_command_is_run_on_the_page(job: str) -> None:
    """What a job runs stands on the page as a command, in its order, with its variable set."""
    (run,) = [
        block
        for block in re.findall(r"^```console\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
        if "coverage combine" in block
    ]
    typed = [line[2:] for line in run.splitlines() if line.startswith("$ ")]
    assert [command for command in typed if command in commands(GITHUB)[job]] == (
        commands(GITHUB)[job]
    )
    for title in (GITHUB, GITLAB):
        read = yaml.safe_load(block(title))
        variables = read.get("env") or read["variables"]
        assert {f"export {name}={value}" for name, value in variables.items()} <= {*typed}


def test_the_actions_are_those_of_the_project() -> None:
    """An action that the page shows is at the commit that the project's own workflows use."""
    own = {
        step["uses"].partition("@")[0]: step["uses"]
        for workflow in WORKFLOWS.values()
        for job in workflow["jobs"].values()
        for step in job.get("steps", ())
        if "uses" in step
    }
    jobs = yaml.safe_load(block(GITHUB))["jobs"].values()
    used = {step["uses"] for job in jobs for step in job["steps"] if "uses" in step}
    shared = {action for action in used if action.partition("@")[0] in own}
    assert shared
    assert shared <= {*own.values()}
    for action in used:
        assert re.search(rf"{re.escape(action)} # v\d+\.\d+\.\d+$", PAGE, re.MULTILINE), action


def test_gitlab_reads_the_coverage_that_the_page_shows() -> None:
    """Its expression finds the total, and nothing else, in the report of the forked job."""
    said = str(yaml.safe_load(block(GITLAB))["forked"]["coverage"])
    (total,) = re.findall(r"^TOTAL .*?(\d+)%$", PAGE, re.MULTILINE)
    assert re.findall(said.strip("/"), PAGE, re.MULTILINE) == [total]


def test_each_job_ends_and_can_only_read() -> None:
    """Both files end what does not end by itself, and the one of GitHub asks for no more rights."""
    github, gitlab = (yaml.safe_load(block(title)) for title in (GITHUB, GITLAB))
    assert gitlab["default"]["timeout"] == "15 minutes"
    assert github["permissions"] == {}
    for job in github["jobs"].values():
        assert job["timeout-minutes"] == 15
        assert job["permissions"] == {"contents": "read"}
