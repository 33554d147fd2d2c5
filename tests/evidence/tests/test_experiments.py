"""Experiments know their cells, and say what their records say."""

import html
import re
import shutil
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.evidence import experiments, svg
from tests.evidence.__main__ import DOCS, EXPERIMENTS, MEASURED
from tests.evidence.environments import NO_WHEEL, Environment, pins
from tests.evidence.experiment import Experiment
from tests.evidence.experiments import compatibility, fork_traps, speed
from tests.evidence.experiments.leaks import HEADINGS
from tests.evidence.leaks import ways_to_leak
from tests.evidence.markdown import TIMES, listing, provenance, table, with_data
from tests.evidence.outcome import Outcome
from tests.evidence.records import Record, read
from tests.evidence.sessions import Report, Session, session
from tests.evidence.subjects import LEAKING_SUITE, NEWEST_PYTHON, PROJECT, PYTHONS
from tests.known_issues import suites
from tests.project.update import renew

PINS = pins(PROJECT)
HERE = Environment(python=Path(sys.executable), release="", packages={})

each_experiment = pytest.mark.parametrize(
    "experiment", EXPERIMENTS.values(), ids=lambda experiment: experiment.name
)


def measured(parameters: Mapping[str, str], **values: object) -> Record:
    """Return a record with these values."""
    given = {"date": "2001-01-01", "platform": "here", "python": "3.13.0", **values}
    return Record(parameters=parameters, **given)  # type: ignore[arg-type] # fields by name


def version(grpcio: str, mode: str = "plain") -> dict[str, str]:
    """Return the parameters of a cell of the experiment `versions`."""
    return {"grpcio": grpcio, "python": "3.13", "mode": mode}


def forked(message: str, outcome: Outcome = Outcome.FAILED) -> Session:
    """Return a session with one failed test that has this message."""
    report = Report(test="test_it", when="???", outcome="failed", message=message)
    return Session(outcome=outcome, signal="", seconds=1.0, output="", reports=(report,))


def test_experiments_are_those_of_the_folder() -> None:
    """Each module or package of the folder is an experiment, and has the name of its file."""
    folder = Path(experiments.__file__).parent
    files = {path.stem for path in folder.iterdir() if not path.name.startswith("_")}
    assert set(EXPERIMENTS) == {name.replace("_", "-") for name in files}
    assert list(MEASURED) == sorted(set(EXPERIMENTS) - {"proof", "speed"})


@each_experiment
def test_cells_have_names_of_their_own(experiment: Experiment) -> None:
    """No two cells are kept under one name, and all are of their experiment."""
    cells = experiment.cells(PINS)
    assert len({cell.name for cell in cells}) == len(cells)
    assert {cell.experiment for cell in cells} == {experiment.name}


@each_experiment
def test_sections_do_not_come_and_go_with_the_data(experiment: Experiment) -> None:
    """A page can include each section also before anything is measured."""
    measured_already = experiment.rendered(DOCS)[DOCS / f"generated/{experiment.name}.md"]
    assert {f"[start:{name}]" for name in experiment.sections([])} == set(
        re.findall(r"\[start:[\w-]+\]", measured_already)
    )


@each_experiment
def test_inputs_of_cells_exist(experiment: Experiment) -> None:
    """A file that is run is watched for changes: a misspelt one never changes."""
    for cell in experiment.cells(PINS):
        assert [path for path in cell.inputs if not path.exists()] == []


def test_a_pin_that_moves_in_the_suites_voids_only_their_runs_with_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What `just update` writes into a runs.toml makes no run of another package void."""
    cells = EXPERIMENTS["issues"].cells(PINS)
    shutil.copytree(suites.ROOT, tmp_path / "examples/known_issues")
    monkeypatch.setattr(suites, "ROOT", tmp_path / "examples/known_issues")
    assert renew(tmp_path, {"pytest-asyncio": (PINS["pytest-asyncio"], "9.9.9")})
    moved = {cell.name: cell.fingerprint(cell.runs) for cell in EXPERIMENTS["issues"].cells(PINS)}
    voids = set()
    for cell in cells:
        installed = [cell.packages, *cell.others.values()]
        with_it = PINS["pytest-asyncio"] in {one.get("pytest-asyncio") for one in installed}
        assert (moved[cell.name] != cell.fingerprint(cell.runs)) is with_it, cell.name
        voids.add(with_it)
    assert voids == {True, False}


@pytest.mark.parametrize("name", sorted(EXPERIMENTS.keys() - {"issues"}))  # these: above
def test_a_new_pin_voids_only_what_is_measured_with_it(name: str) -> None:
    """After a bump of one package, the cells that do not have it in its old version stay."""
    experiment = EXPERIMENTS[name]
    cells = experiment.cells(PINS)
    environments = {cell.name: [cell.packages, *cell.others.values()] for cell in cells}
    packages = {name for ones in environments.values() for one in ones for name in one}
    for package in packages & PINS.keys():
        bumped = {cell.name: cell for cell in experiment.cells({**PINS, package: "0"})}
        for cell in cells:
            with_it = any(one.get(package) == PINS[package] for one in environments[cell.name])
            new = bumped.get(cell.name)
            stays = new is not None and new.fingerprint(cell.runs) == cell.fingerprint(cell.runs)
            assert stays is not with_it, f"{package}: {cell.name}"


def test_versions_are_the_whole_matrix() -> None:
    """Six lines of grpcio, the pin among them, on each Python, in four modes."""
    cells = EXPERIMENTS["versions"].cells(PINS)
    lines = {cell.parameters["grpcio"] for cell in cells}
    assert len(lines) == 6
    assert PINS["grpcio"] in lines
    assert len(cells) == 6 * len(PYTHONS) * 4


@pytest.mark.parametrize(
    ("session", "told"),
    [
        (forked("running the test CRASHED with signal 11 (SIGSEGV)"), ("crashed", "SIGSEGV")),
        (forked("assert 1 == 2"), ("failed", "")),
        (forked("assert 1 == 2", Outcome.HUNG), ("hung", "")),
    ],
)
def test_a_forked_child_s_signal_is_told(session: Session, told: tuple[str, str]) -> None:
    """The session merely fails; that its child has crashed, pytest-forked reports."""
    assert fork_traps.ending(session) == told


def test_a_message_is_told_without_its_place() -> None:
    """The file and line of the report are those of a copy that is gone."""
    session = forked("suite/test_it.py:4: running the test EXITED with status 3\n")
    assert compatibility.message(session) == "running the test EXITED with status 3"


def test_ratios_are_of_the_same_round() -> None:
    """A machine that slows down spoils no ratio; tests that do not pass are told instead of one."""
    cost = measured(
        {"measured": "cost", "compared": "all", "python": NEWEST_PYTHON},
        runs=3,
        facts={
            "cpu": {"nothing": [1.0, 2.0, 9.0], "forked": [2.0, 4.0, 9.0], "xdist": [1.0] * 3},
            "passed": {"nothing": 24, "forked": 24, "xdist": 20},
        },
    )
    sections = EXPERIMENTS["strategies"].sections([cost])
    row = {line.split("|")[1].strip(): line for line in sections["reported"].split("\n")}
    assert f"| 2.00 {TIMES} |" in row["`--forked`"]
    assert "| 20/24 tests pass |" in row["pytest-xdist, `-n 2`"]
    assert "1.00 s to 9.00 s" in sections["timed"]


def test_the_cost_of_the_guard_is_told_once_beside_that_of_nothing() -> None:
    """The table, the chart and the sentence have one figure; the spread is told, of both."""
    cost = measured(
        {"measured": "cost", "compared": "guard", "python": NEWEST_PYTHON},
        runs=5,
        facts={
            "cpu": {
                "nothing": [2.0] * 5,
                "guard": [1.0, 2.0, 2.2, 2.4, 9.0],
                "again": [1.7, 1.9, 2.0, 2.1, 2.3],
            },
            "passed": {"nothing": 1000, "guard": 1000, "again": 1000},
        },
    )
    sections = EXPERIMENTS["strategies"].sections([cost])
    said = sections["cost-of-the-guard"]
    assert said.startswith("On 1000 tests with a server each, the guard takes")
    assert f"1.10 {TIMES} (half of the rounds: 0.75 to 2.85)" in said
    assert f"1.00 {TIMES} (half of the rounds: 0.90 to 1.10) its own." in said
    (row,) = [line for line in sections["reported"].split("\n") if "pytest-grpc-guard" in line]
    assert row.endswith(f"| 1.10 {TIMES} |")
    assert f">1.10 {TIMES}<" in sections["chart"]
    assert (
        f"1.10 {TIMES} the processor time of plain pytest"
        in EXPERIMENTS["strategies"].sections(
            [
                cost,
                measured(
                    {"measured": "leak", "strategy": "guard", "python": "3.13"},
                    runs=20,
                    facts={"blamed": {}},
                ),
            ]
        )["guard"]
    )


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ({"session": "crashed", "tests": {}}, "the session dies"),
        ({"session": "failed", "tests": {"test_crashes": ["failed"]}}, "FAILED"),
        ({"session": "passed", "tests": {}}, "nothing, and the session passes"),
        ({"session": "refused", "tests": {}}, "the session does not run"),
    ],
)
def test_what_a_crash_is_reported_as(body: dict[str, object], said: str) -> None:
    """A session that passes although a test of it crashed is told from one that fails."""
    record = measured(
        {"measured": "report", "strategy": "forked", "python": NEWEST_PYTHON},
        facts={"body": body, "teardown": body, "fixture": {"session": "passed", "set-ups": 6}},
    )
    assert (
        f"| `--forked` | {said} | {said} | 6 |"
        in EXPERIMENTS["strategies"].sections([record])["reported"]
    )


def sign(tone: svg.Tone) -> str:
    """Return the sign beside a colour."""
    return svg.SIGNS[tone]


def leak(strategy: str, *, blamed: str = "", **outcomes: int) -> Record:
    """Return a record of the leaking suite under a strategy, on one Python."""
    return measured(
        {"measured": "leak", "strategy": strategy, "python": NEWEST_PYTHON},
        runs=sum(outcomes.values()),
        outcomes=outcomes,
        facts={"blamed": {blamed: 1} if blamed else {}},
    )


def costs(compared: str, **seconds: float) -> Record:
    """Return a record of two rounds of what strategies cost."""
    return measured(
        {"measured": "cost", "compared": compared, "python": NEWEST_PYTHON},
        runs=2,
        facts={
            "cpu": {name: [each, each] for name, each in seconds.items()},
            "passed": dict.fromkeys(seconds, 24),
        },
    )


def finding(chart: str) -> str:
    """Return the title of a chart."""
    (said,) = re.findall(r"<strong [^>]*>(.*)</strong>", chart)
    return html.unescape(said)


def names(chart: str) -> list[str]:
    """Return the names of the bars of a chart, each with its sign."""
    return re.findall(r'<text x="0" [^>]*><tspan [^>]*>(.*)</text>', chart.replace("</tspan>", ""))


def test_each_bar_of_the_strategies_has_the_sign_of_the_worst_that_it_does() -> None:
    """Only what loses nothing, blames no innocent and hides no crash has a tick."""
    lost = {"session": "passed", "tests": {}}
    records = [
        costs("all", nothing=1, forked=2, xdist=1, insubprocess=4, isolate=1, zygote=1),
        costs("guard", nothing=1, guard=1, again=1),
        leak("guard", passed=3),
        leak("nothing", passed=1, crashed=1, hung=1),
        leak("forked", passed=3),
        leak("xdist", failed=3, blamed="test_late_client"),
        leak("insubprocess", passed=3),
        leak("isolate", passed=1, hung=2),
        measured(
            {"measured": "report", "strategy": "insubprocess", "python": NEWEST_PYTHON},
            facts={"body": lost, "teardown": lost, "fixture": {"session": "passed", "set-ups": 6}},
        ),
    ]
    assert names(EXPERIMENTS["strategies"].sections(records)["chart"]) == [
        f"{sign('held')} the guard, pytest-grpc-guard",
        f"{sign('crashed')} nothing",
        f"{sign('held')} --forked",
        f"{sign('blamed')} pytest-xdist, -n 2",
        f"{sign('hung')} pytest-isolate",
        f"{sign('hidden')} pytest-insubprocess",
        f"{sign('absent')} pytest-zygote, 2 workers",
    ]


@pytest.mark.parametrize(
    ("records", "said"),
    [
        (
            [leak("stopped", passed=3), leak("guard", passed=3)],
            "No session is lost with stopping the server and the guard",
        ),
        (
            [leak("stopped", passed=3), leak("guard", passed=2, crashed=1)],
            "No session is lost with stopping the server; not seen to hold: the guard",
        ),
        (
            [],
            "Not seen to hold: stopping the server and the guard",
        ),
    ],
    ids=["both hold", "one holds", "nothing is known"],
)
def test_the_finding_about_the_strategies_is_what_the_data_say(
    records: list[Record], said: str
) -> None:
    """It says which of what is recommended holds, and what the guard and the dearest cost."""
    taken = [
        costs("all", nothing=1, forked=9, xdist=2),
        costs("guard", nothing=1, guard=1.5, again=1),
    ]
    shown = finding(EXPERIMENTS["strategies"].sections([*taken, *records])["chart"])
    assert shown == f"{said}; the guard costs 1.50 {TIMES}; --forked costs 9.00 {TIMES}"


def test_what_is_recommended_comes_first() -> None:
    """In both tables of the strategies."""
    sections = EXPERIMENTS["strategies"].sections([])
    first = {
        name: [line.split("|")[1].strip() for line in sections[name].split("\n")[2:4]]
        for name in ("lost", "reported")
    }
    assert first["lost"] == ["stop the server in its loop", "the guard, `pytest-grpc-guard`"]
    assert first["reported"] == ["the guard, `pytest-grpc-guard`", "nothing"]


@pytest.mark.parametrize(
    ("stopped", "said"),
    [
        (
            {"passed": 3},
            "The reproducer crashes on 1 of 2 combinations of grpcio and Python; stopped on none",
        ),
        (
            {"passed": 2, "hung": 1},
            "The reproducer crashes on 1 of 2 combinations of grpcio and Python; stopped on 1 of 1",
        ),
    ],
)
def test_the_finding_about_the_versions_is_what_the_data_say(
    stopped: dict[str, int], said: str
) -> None:
    """It counts the combinations that crash, and what does not; a hang has a sign of its own."""
    records = [
        measured(version("1.0"), runs=3, outcomes={"crashed": 1, "passed": 2}),
        measured(version("1.1"), runs=3, outcomes={"passed": 3}),
        measured(version("1.0", "stopped"), runs=3, outcomes=stopped),
        measured(version("1.1", "stopped"), unavailable=NO_WHEEL),
    ]
    chart = EXPERIMENTS["versions"].sections(records)["chart"]
    assert finding(chart) == said
    assert f">{sign('crashed')} 1/3<" in chart
    worst: svg.Tone = "hung" if "hung" in stopped else "held"
    assert f">{sign(worst)} {stopped.get('hung', 0)}/3<" in chart
    assert f">{sign('absent')}<" in chart


@pytest.mark.parametrize(
    ("ratios", "said"),
    [
        (
            {"10": 2.0, "100": 0.5},
            f"The checker takes 0.50 {TIMES} to 2.00 {TIMES} as long as both others together",
        ),
        ({}, "What the checker takes is not measured"),
    ],
)
def test_the_finding_about_the_checker_is_what_the_data_say(
    ratios: dict[str, float], said: str
) -> None:
    """It has the least and the most of the sizes."""
    records = [
        measured(
            {"pages": pages, "python": NEWEST_PYTHON},
            runs=1,
            facts={
                "taken": {
                    "checker": [{"wall": 2 * ratio, "cpu": 1.0, "peak": 1.0}],
                    "pytest-markdown-docs": [{"wall": 1.0, "cpu": 1.0, "peak": 1.0}],
                    "byexample": [{"wall": 1.0, "cpu": 1.0, "peak": 1.0}],
                },
                "peers": {},
                "load before": 0.0,
                "load after": 0.0,
            },
        )
        for pages, ratio in ratios.items()
    ]
    assert finding(EXPERIMENTS["speed"].sections(records)["chart"]) == said


def test_each_table_and_chart_has_its_data() -> None:
    """A link to the file stands below it, and leads there; a sentence has none."""
    for experiment in EXPERIMENTS.values():
        sections = experiment.sections(read(experiment.data(DOCS)))
        for section in sections.values():
            drawn = section.startswith(("|", "<figure"))
            assert ("{ .data-link }" in with_data(section, experiment.name)) is drawn
        link = f"](../evidence/data/{experiment.name}.json)"
        assert link in with_data("| a |", experiment.name)
        assert (DOCS / "../evidence/data" / f"{experiment.name}.json").is_file()


def test_the_checker_is_held_against_both_others_of_the_same_round() -> None:
    """A round in which all are slow spoils no ratio; what only waits is not cheap by the clock."""

    def rounds(*seconds: float, cpu: float) -> list[dict[str, float]]:
        return [{"wall": wall, "cpu": cpu, "peak": 30.0} for wall in seconds]

    record = measured(
        {"pages": "100", "python": NEWEST_PYTHON},
        runs=3,
        facts={
            "taken": {
                "checker": rounds(2.0, 4.0, 9.0, cpu=3.0),
                "pytest-markdown-docs": rounds(1.0, 2.0, 3.0, cpu=1.0),
                "byexample": rounds(3.0, 6.0, 7.0, cpu=0.5),
                "workers": rounds(1.0, 2.0, 6.0, cpu=4.0),
                "unchanged": rounds(1.0, 1.0, 1.0, cpu=1.0),
            },
            "peers": {"byexample": "1.0"},
            "load before": 0.5,
            "load after": 0.7,
        },
    )
    sections = EXPERIMENTS["speed"].sections([record])
    assert f"| 100 | 2000 | 0.50 {TIMES} (0.50\N{EN DASH}0.90) | 2.00 {TIMES}" in sections["ratios"]
    assert f"2.00 {TIMES} (1.50\N{EN DASH}2.00) as quickly" in sections["workers"]
    assert "| 100 | 4.00 s (2.00\N{EN DASH}9.00) | 1.00 s" in sections["wall"]
    assert "byexample 1.0" in sections["measured"]


def test_a_generated_site_has_as_many_blocks_of_each_kind(tmp_path: Path) -> None:
    """What the tools are held against each other on is the same work for each."""
    speed.write_site(tmp_path, 2)
    texts = [path.read_text(encoding="utf-8") for path in (tmp_path / "docs").iterdir()]
    assert len(texts) == 2
    for text in texts:
        assert [text.count(f"```{kind}\n") for kind in ("python", "console")] == [speed.BLOCKS] * 2


def test_each_way_to_leak_is_told_from_the_others() -> None:
    """No two have one name; each says in words what it is, and pytest finds it."""
    leaks = ways_to_leak()
    assert len({(leak.group, leak.name) for leak in leaks}) == len(leaks)
    assert {leak.group for leak in leaks} == {"variants", *HEADINGS}
    assert all(leak.said for leak in leaks)
    for folder in ("variants", "patterns"):
        arguments = ["--collect-only", "-q", folder]
        collected = session(HERE, LEAKING_SUITE, arguments, seconds=60.0).output
        found = {line.partition("[")[0] for line in collected.splitlines() if "::" in line}
        if folder == "variants":
            found = {name.partition("::")[0] for name in found}
        assert found == {leak.target for leak in leaks if leak.target.startswith(folder)}


def test_a_pattern_that_fails_is_no_survivor() -> None:
    """Nor is one that does not run; a session survives that fails only if it does so on purpose."""

    def guarded(group: str, leak: str, outcome: str) -> Record:
        parameters = {"group": group, "leak": leak, "python": "3.13", "mode": "guard"}
        good = "failed" if leak.startswith("failing_") else "passed"
        outcomes = {outcome: 2} if outcome == good else {good: 1, outcome: 1}
        return measured(parameters, runs=2, outcomes=outcomes)

    sections = EXPERIMENTS["leaks"].sections(
        [
            guarded("variants", "failing_test", "failed"),
            guarded("variants", "module_global", "hung"),
            guarded("loops", "by_hand", "failed"),
            guarded("loops", "runner", "refused"),
        ]
    )
    assert re.search(r"`test_failing_test.py`.*\| survives 2/2 \|", sections["table"])
    assert re.search(r"`test_module_global.py`.*\| hangs 1/2 \|", sections["table"])
    assert re.search(r"By hand: .*\| not measured \| fails 1/2 \|", sections["loops"])
    assert re.search(r"`asyncio.Runner` .*\| does not run 1/2 \|", sections["loops"])
    assert sections["summary"].endswith("5/8 under the guard.")


def test_no_wheel_is_shown() -> None:
    """A combination that cannot be is no crash and no survivor."""
    absent = [
        measured(version("1.62.3", mode), python="", unavailable=NO_WHEEL)
        for mode in ("plain", "stopped", "pinned", "guard")
    ]
    sections = EXPERIMENTS["versions"].sections(absent)
    assert "| 1.62.3 | not measured | not measured | no wheel |" in sections["table"]
    assert sections["absent"] == "There is no wheel of grpcio 1.62.3 on Python 3.13."
    assert "0/0" in sections["plain"]


@pytest.mark.parametrize(
    ("crashes", "said"),
    [
        ({"1.9.0": 3, "1.10.0": 1}, "grpcio 1.9.0 to 1.10.0, each that was tried; Python 3.13"),
        ({"1.9.0": 3, "1.10.0": 0}, "grpcio 1.9.0; Python 3.13"),
        ({"1.9.0": 0, "1.10.0": 0}, "no grpcio that was tried: 1.9.0 and 1.10.0"),
    ],
)
def test_what_is_affected(crashes: dict[str, int], said: str) -> None:
    """A grpcio with which nothing crashed is not named, though it was tried."""
    tried = [
        measured(version(line), runs=3, outcomes={"crashed": lost, "passed": 3 - lost})
        for line, lost in crashes.items()
    ]
    absent = measured(version("1.8.0"), python="", unavailable=NO_WHEEL)
    assert EXPERIMENTS["versions"].sections([absent, *tried])["affected"] == said


def test_which_pytest_asyncio_crashes() -> None:
    """A version under which one session was lost is told from one under which none was."""
    tried = [
        measured({"version": plugin, "python": "3.13", "mode": "plain"}, runs=5, outcomes=outcomes)
        for plugin, outcomes in {
            "1.0.0": {"passed": 5},
            "1.1.0": {"crashed": 1, "passed": 4},
        }.items()
    ]
    said = EXPERIMENTS["pytest-asyncio"].sections(tried)["crashing"]
    assert said.startswith("With pytest-asyncio 1.1.0 sessions")
    assert said.endswith("with 1.0.0, none was.")


def test_provenance_names_all_dates_and_versions() -> None:
    """Records of several days and versions are not passed off as of one."""
    text = provenance(
        [
            measured({}, date="2001-01-01", packages={"grpcio": "1.9.0"}),
            measured({}, date="2001-02-03", packages={"grpcio": "1.10.0"}),
        ],
        "just evidence",
    )
    assert "2001-01-01 to 2001-02-03" in text
    assert "grpcio 1.9.0 and 1.10.0" in text


def test_markdown_pieces() -> None:
    """A bar does not end a cell; lists read as English does."""
    assert table(["a"], [["x|y"]]).split("\n")[2] == r"| x\|y |"
    assert [listing(["a", "b", "c"][:n]) for n in (1, 2, 3)] == ["a", "a and b", "a, b and c"]
