"""What GitHub reads below .github/: workflows that can do little, forms, and the rest."""

import re
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

PROJECT = Path(__file__).parents[2]
GITHUB = PROJECT / ".github"
CI = (PROJECT / ".ci/run").read_text(encoding="utf-8")


def parsed(path: Path) -> Any:  # noqa: ANN401 - YAML has any type
    """Return what a YAML file says; `on` is a word, as GitHub reads it, and no truth value."""
    text = path.read_text(encoding="utf-8")
    return yaml.safe_load(re.sub(r"^on:", '"on":', text, flags=re.MULTILINE))


WORKFLOWS = {path.stem: parsed(path) for path in sorted((GITHUB / "workflows").glob("*.yml"))}
JOBS = {
    f"{file} {name}": job
    for file, workflow in WORKFLOWS.items()
    for name, job in workflow["jobs"].items()
}
STEPS = [step for job in JOBS.values() for step in job.get("steps", ())]
# What a job may do that can do more than read: each writes one thing, and runs nothing of ours.
WRITERS = [
    {"issues": "write"},
    {"id-token": "write"},
    {"pages": "write", "id-token": "write"},
    {"contents": "read", "pages": "write", "id-token": "write"},  # a call of pages.yml
]
each_job = pytest.mark.parametrize("job", JOBS.values(), ids=JOBS.keys())


def test_ci_runs_the_command_of_readme() -> None:
    """CI and README have one test command, which is what `.ci/run` runs when nothing is given."""
    readme = (PROJECT / "README.md").read_text(encoding="utf-8")
    assert CI.endswith('\nif [ $# -eq 0 ]; then\n    just test\nelse\n    just "$@"\nfi\n')
    assert "\n    just test\n" in readme
    assert WORKFLOWS["ci"]["jobs"]["test"]["steps"][-1] == {"run": ".ci/run"}


STUBS = {
    # Makes an environment whose just says what the tests of the browser are told.
    "python3": """\
if [ "$1" = -m ]; then
    mkdir -p "$3/bin"
    echo '#!/bin/sh' > "$3/bin/pip"
    echo '#!/bin/sh' > "$3/bin/uv"
    printf '#!/bin/sh\\necho "just $* ${BROWSER_TESTS-unset}"\\n' > "$3/bin/just"
    chmod +x "$3"/bin/*
fi
""",
    "id": "echo 0\n",
    "apt-get": "exit 100\n",
    **{name: f'exec /usr/bin/env -i /bin/{name} "$@"\n' for name in ("dirname", "mktemp")},
    **{name: f'exec /bin/{name} "$@"\n' for name in ("ln", "mkdir", "chmod", "rm")},
}
INSTALLS = 'printf "#!/bin/sh\\n" > "${0%/*}/chromium"; /bin/chmod +x "${0%/*}/chromium"\n'


@pytest.mark.parametrize(
    ("recipe", "stubs", "told", "skipped"),
    [
        ([], {"chromium": ""}, "just test required", False),
        ([], {"apt-get": INSTALLS}, "just test required", False),
        (["test-site"], {}, "just test-site unset", True),
        (["coverage"], {}, "just coverage unset", False),
    ],
    ids=["there", "installed", "not to be had", "not needed"],
)
def test_ci_installs_a_browser(
    tmp_path: Path, recipe: list[str], stubs: dict[str, str], told: str, *, skipped: bool
) -> None:
    """Its tests fail without one from then on; where none is to be had, one line says so."""
    (tmp_path / ".ci").mkdir()
    run = tmp_path / ".ci/run"
    run.write_text(CI, encoding="utf-8")
    programs = tmp_path / "programs"
    programs.mkdir()
    for name, script in (STUBS | stubs).items():
        (programs / name).write_text(f"#!/bin/sh\n{script}", encoding="utf-8")
        (programs / name).chmod(0o755)
    done = subprocess.run(
        ["/bin/bash", run, *recipe],
        env={"PATH": str(programs)},
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert done.stdout == told + "\n"
    assert ("are skipped" in done.stderr) is skipped


def test_ci_installs_the_tools_at_exact_versions() -> None:
    """What installs everything else is itself no newer than what was tried."""
    (installed,) = re.findall(r"pip\" install (.*)", CI)
    packages = [word for word in installed.split() if not word.startswith("-")]
    assert [name for name, _, _ in (word.partition("==") for word in packages)] == [
        "uv",
        "rust-just",
    ]
    assert all(re.fullmatch(r"[\w-]+==[\d.]+", word) for word in packages)


def test_ci_fails_for_the_pythons_that_were_measured_and_shows_the_others() -> None:
    """The versions that must pass are those of the evidence; 3.14 and macOS may fail."""
    job = WORKFLOWS["ci"]["jobs"]["test"]
    matrix = job["strategy"]["matrix"]
    measured = (PROJECT / "docs/evidence/generated/versions.md").read_text(encoding="utf-8")
    assert matrix["python"] == sorted(set(re.findall(r">Python (3\.\d+)<", measured)))
    assert (matrix["may-fail"], job["continue-on-error"]) == ([False], "${{ matrix.may-fail }}")
    tried = [(entry["os"].split("-")[0], entry["python"]) for entry in matrix["include"]]
    assert tried == [("ubuntu", "3.14"), ("macos", "3.13")]
    assert all(entry["may-fail"] is True for entry in matrix["include"])


def test_a_workflow_has_no_permissions_of_its_own() -> None:
    """Each job names what it needs; one that forgets to has nothing."""
    assert WORKFLOWS
    assert {name: workflow["permissions"] for name, workflow in WORKFLOWS.items()} == {
        name: {} for name in WORKFLOWS
    }


@each_job
def test_no_job_can_do_more_than_it_has_to(job: dict[str, Any]) -> None:
    """A job with the project's code can only read; one that may write has no code."""
    steps = job.get("steps", ())
    checkouts = [step for step in steps if "actions/checkout@" in step.get("uses", "")]
    assert all(step["with"]["persist-credentials"] is False for step in checkouts)
    # An expression in a script would be read by the shell: values come as variables.
    scripts = [step["run"] for step in steps if "run" in step]
    assert not any("${{" in script for script in scripts)
    if checkouts:
        assert job["permissions"] == {"contents": "read"}
        assert "github.token" not in str(job)
    else:
        assert job["permissions"] in WRITERS
        assert not any(".ci/run" in script or "uv run" in script for script in scripts)


@each_job
def test_a_job_ends(job: dict[str, Any]) -> None:
    """A job has a time-out; one that calls a workflow has that of the jobs there."""
    called = job.get("uses", "")
    assert ("timeout-minutes" in job) is not called.startswith("$/.github/workflows/")
    assert not called or Path(called).stem in WORKFLOWS


def test_actions_have_the_hash_of_a_commit_and_say_their_version() -> None:
    """One commit for each action, in all workflows, with its release beside it."""
    pins: dict[str, set[tuple[str, ...]]] = {}
    for path in (GITHUB / "workflows").glob("*.yml"):
        for line in re.findall(r"uses: ([^$].*)", path.read_text(encoding="utf-8")):
            found = re.fullmatch(r"([\w./-]+)@([0-9a-f]{40}) # (v\d+\.\d+\.\d+)", line)
            assert found, f"{path.name}: {line}"
            pins.setdefault(found[1], set()).add(found.groups()[1:])
    assert len(pins) == len({step["uses"] for step in STEPS if "uses" in step})
    assert {action: used for action, used in pins.items() if len(used) > 1} == {}


def test_what_is_published_has_passed() -> None:
    """The site is deployed after the tests alone, where somebody has given it an address."""
    site = WORKFLOWS["ci"]["jobs"]["site"]
    assert (site["needs"], site["uses"]) == ("test", "$/.github/workflows/pages.yml")
    assert site["if"] == "github.event_name == 'push' && vars.SITE_URL != ''"
    assert WORKFLOWS["pages"]["on"].keys() == {"workflow_call", "workflow_dispatch"}
    build = WORKFLOWS["pages"]["jobs"]["build"]
    settings = (PROJECT / "mkdocs.yml").read_text(encoding="utf-8")
    assert build["env"].keys() - {"UV_PYTHON"} == set(re.findall(r"!ENV (\w+)", settings))


def test_the_guard_is_released_with_the_uv_that_ci_installs() -> None:
    """The release builds and publishes with the one version that was tried."""
    (tried,) = re.findall(r"\buv==[\d.]+", CI)
    steps = [step for job in WORKFLOWS["release-guard"]["jobs"].values() for step in job["steps"]]
    assert [step["run"] for step in steps if "pipx" in step.get("run", "")] == (
        [f"pipx install {tried}"] * 2
    )


def test_a_release_of_the_guard_says_where_it_comes_from(tmp_path: Path) -> None:
    """The step of the workflow adds the address to what is built, and the rest stays as it is."""
    name = "examples/grpc_guard/pyproject.toml"
    text = (PROJECT / name).read_text(encoding="utf-8")
    (tmp_path / name).parent.mkdir(parents=True)
    (tmp_path / name).write_text(text, encoding="utf-8")
    steps = WORKFLOWS["release-guard"]["jobs"]["build"]["steps"]
    (script,) = [step["run"] for step in steps if "REPOSITORY_URL" in step.get("run", "")]
    subprocess.run(
        ["bash", "-ec", script],
        cwd=tmp_path,
        env={"REPOSITORY_URL": "https://github.com/owner/repository"},
        check=True,
    )
    made = tomllib.loads((tmp_path / name).read_text(encoding="utf-8"))
    assert made["project"].pop("urls") == {"Repository": "https://github.com/owner/repository"}
    assert made == tomllib.loads(text)


def test_pins_that_could_be_renewed_are_told(tmp_path: Path) -> None:
    """The watch reports each pin that `just update` changes, and nothing where none does."""
    (script,) = [
        step["run"] for step in WORKFLOWS["upstream"]["jobs"]["pins"]["steps"] if "run" in step
    ]
    pins = tmp_path / "pyproject.toml"
    pins.write_text('constraint-dependencies = [\n    "a==1",\n    "b==1",\n]\n')
    (tmp_path / ".ci").mkdir()
    run = tmp_path / ".ci/run"
    for command in (["git", "init", "-q"], ["git", "add", "."]):
        subprocess.run(command, cwd=tmp_path, check=True)
    told = tmp_path / "output"

    def reported(recipe: str) -> str:
        run.write_text(f"#!/bin/bash\n{recipe}\n")
        run.chmod(0o755)
        told.write_text("")
        environment = {"PATH": "/usr/bin:/bin", "GITHUB_OUTPUT": str(told)}
        subprocess.run(["bash", "-ec", script], cwd=tmp_path, env=environment, check=True)
        return told.read_text()

    assert reported("test $1 = update") == ""
    report = reported("sed -i.old s/b==1/b==2/ pyproject.toml")
    first, *lines, last = report.splitlines()
    assert first == f"report<<{last}"
    assert lines[-4:] == ["~~~diff", '-    "b==1",', '+    "b==2",', "~~~"]


FORMS = {path.stem: parsed(path) for path in sorted((GITHUB / "ISSUE_TEMPLATE").glob("[!c]*.yml"))}
SCHEMAS = {
    "vendor.citation-file-format": ["CITATION.cff"],
    "vendor.dependabot": ["dependabot.yml"],
    "vendor.github-issue-config": ["ISSUE_TEMPLATE/config.yml"],
    "vendor.github-issue-forms": [f"ISSUE_TEMPLATE/{name}.yml" for name in FORMS],
}


def checked(schema: str, *files: Path) -> subprocess.CompletedProcess[str]:
    """Check files against a schema that check-jsonschema brings with it."""
    command = [
        sys.executable,
        "-m",
        "check_jsonschema",
        "--builtin-schema",
        schema,
        *map(str, files),
    ]
    return subprocess.run(command, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("schema", SCHEMAS)
def test_files_are_ones_that_github_reads(schema: str, tmp_path: Path) -> None:
    """Each has the form that its schema asks for; with a word that is not in it, none has."""
    files = [GITHUB / name for name in SCHEMAS[schema]]
    passed = checked(schema, *files)
    assert passed.returncode == 0, passed.stdout
    for file in files:
        broken = tmp_path / file.name
        broken.write_text(file.read_text(encoding="utf-8") + "\nno-such-word: 1\n", "utf-8")
        assert checked(schema, broken).returncode == 1


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS.keys())
def test_questions_have_names_of_their_own(form: dict[str, Any]) -> None:
    """GitHub refuses a form in which two questions or two options have one name."""
    asked = [part for part in form["body"] if part["type"] != "markdown"]
    for key in ("id", "label"):
        names = [part.get(key) or part["attributes"][key] for part in asked]
        assert len(names) == len(set(names)) > 0
    for part in asked:
        options = part["attributes"].get("options", ["one"])
        assert len(options) == len(set(options))


def test_the_form_of_a_crash_asks_for_what_shows_it() -> None:
    """Nobody can send a crash without its log, its command, the versions and the guard's words."""
    required = [part["id"] for part in FORMS["my-crash"]["body"] if "validations" in part]
    assert required == ["log", "command", "versions", "often", "where", "guard"]


def test_the_commands_of_the_form_are_those_that_a_page_runs() -> None:
    """What the form asks for is run on the page that tells of it, so it prints what it promises."""
    page = (PROJECT / "docs/taking-part.md").read_text(encoding="utf-8")
    form = (GITHUB / "ISSUE_TEMPLATE/my-crash.yml").read_text(encoding="utf-8")
    commands = re.findall(r"```sh\n(.+?)\n +```", form, re.DOTALL)
    assert len(commands) == 2
    for command in commands:
        program, _, rest = command.strip().partition("python")
        assert rest in page, command
        assert program in page, command


def test_whoever_writes_an_issue_may_do_without_a_form() -> None:
    """A question that fits no form can be asked."""
    assert parsed(GITHUB / "ISSUE_TEMPLATE/config.yml") == {"blank_issues_enabled": True}


def test_code_owners_are_of_folders_that_exist() -> None:
    """Each line but the first, which is for everything, begins with a folder of the project."""
    lines = (GITHUB / "CODEOWNERS").read_text(encoding="utf-8").splitlines()
    everything, *folders = [line.split()[0] for line in lines if line and not line.startswith("#")]
    assert everything == "*"
    assert [name for name in folders if not (PROJECT / name.strip("/")).is_dir()] == []
    assert folders


def test_the_citation_is_of_this_project() -> None:
    """It has what the format asks for; name, version and licence are the project's."""
    cited = parsed(GITHUB / "CITATION.cff")
    settings = tomllib.loads((PROJECT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    site = (PROJECT / "mkdocs.yml").read_text(encoding="utf-8")
    assert cited.keys() >= {"cff-version", "message", "title", "authors"}
    assert (cited["version"], cited["license"]) == (settings["version"], settings["license"])
    assert f"\nsite_name: {cited['title']}\n" in site
    holder = (PROJECT / "LICENSE").read_text(encoding="utf-8")
    assert [author["name"] in holder for author in cited["authors"]] == [True]


def test_what_is_updated_by_itself_are_the_actions() -> None:
    """Dependabot reads the workflows; Python packages have pins that it does not read."""
    settings = parsed(GITHUB / "dependabot.yml")
    assert settings["version"] == 2
    assert [place["package-ecosystem"] for place in settings["updates"]] == ["github-actions"]


@pytest.mark.parametrize("name", ["CONTRIBUTING.md", "pull_request_template.md"])
def test_the_recipes_that_contributors_are_told_exist(name: str) -> None:
    """Each `just …` of these texts is a recipe."""
    text = (GITHUB / name).read_text(encoding="utf-8")
    listed = subprocess.run(
        ["just", "--summary"], cwd=PROJECT, capture_output=True, text=True, check=True
    )
    assert "test" in (named := set(re.findall(r"\bjust ([a-z][a-z-]*)", text)))
    assert named <= {*listed.stdout.split()}
