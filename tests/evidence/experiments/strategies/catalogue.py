"""The strategies: each way to run a suite that may leak servers, and how pytest is told of it."""

from collections.abc import Mapping
from dataclasses import dataclass, field

_MODULE_LOOPS = (
    *("-o", "asyncio_default_fixture_loop_scope=module"),
    *("-o", "asyncio_default_test_loop_scope=module"),
)
_FIXED_UPSTREAM = "the leaks are gone, or grpcio is fixed"


@dataclass(frozen=True, kw_only=True)
class Strategy:
    """A way to run tests that may leak servers."""

    name: str
    title: str
    remove_when: str
    short: str = ""
    """What it is called within a sentence, if that is not its title up to a comma."""
    recommended: bool = False
    """Whether it is what a reader is told to do; then it comes first wherever they are listed."""
    arguments: tuple[str, ...] = ()
    packages: tuple[str, ...] = ()
    """Its plugins: at their pins, or the newest where there is no pin."""
    variables: Mapping[str, str] = field(default_factory=dict)
    two_modules: bool = False
    per_file: bool = False
    slow: bool = False
    """Whether it starts an interpreter for each test: fewer runs, on the newest Python alone."""
    own_suite: bool = False
    """Whether it changes the suite, not the way to run it: then only the crash is measured."""

    @property
    def called(self) -> str:
        """Return what it is called within a sentence, as plain text."""
        return self.short or self.title.partition(",")[0].replace("`", "")


STRATEGIES = (
    Strategy(name="nothing", title="nothing", remove_when="there is nothing to remove"),
    Strategy(
        name="gc-fixture",
        title="the GC fixture",
        arguments=("-p", "gc_fixture"),
        remove_when="now",
    ),
    Strategy(
        name="module-loops",
        title="module-scoped loops, one module",
        arguments=_MODULE_LOOPS,
        remove_when="the suite gets a second module",
    ),
    Strategy(
        name="module-loops-2",
        title="module-scoped loops, two modules",
        arguments=_MODULE_LOOPS,
        two_modules=True,
        own_suite=True,
        remove_when="now",
    ),
    Strategy(
        name="stopped",
        title="stop the server in its loop",
        arguments=("--stopped",),
        own_suite=True,
        remove_when="never: it is right anyway",
        short="stopping the server",
        recommended=True,
    ),
    Strategy(
        name="guard",
        title="the guard, `pytest-grpc-guard`",
        arguments=("-p", "grpc_guard"),
        remove_when="grpcio is fixed",
        recommended=True,
    ),
    Strategy(
        name="forked",
        title="`--forked`",
        arguments=("--forked",),
        packages=("pytest-forked",),
        remove_when=_FIXED_UPSTREAM,
    ),
    Strategy(
        name="xdist",
        title="pytest-xdist, `-n 2`",
        arguments=("-n", "2"),
        packages=("pytest-xdist",),
        remove_when="it contains nothing; it is for speed",
    ),
    Strategy(
        name="isolate",
        title="pytest-isolate",
        arguments=("--isolate",),
        packages=("pytest-isolate",),
        remove_when=_FIXED_UPSTREAM,
    ),
    Strategy(
        name="isolated",
        title="pytest-isolated",
        arguments=("--isolated",),
        packages=("pytest-isolated",),
        slow=True,
        remove_when=_FIXED_UPSTREAM,
    ),
    Strategy(
        name="insubprocess",
        title="pytest-insubprocess",
        arguments=("--insubprocess",),
        packages=("pytest-insubprocess",),
        slow=True,
        remove_when=_FIXED_UPSTREAM,
    ),
    Strategy(
        name="subproc",
        title="pytest-subproc",
        arguments=("-p", "mark_every_test"),
        variables={"EVIDENCE_MARK": "subproc"},
        packages=("pytest-subproc",),
        slow=True,
        remove_when=_FIXED_UPSTREAM,
    ),
    Strategy(
        name="zygote",
        title="pytest-zygote, 2 workers",
        arguments=("--workers=2",),
        packages=("pytest-zygote",),
        remove_when="it contains nothing; it is for speed",
    ),
    Strategy(
        name="warden",
        title="pytest-warden, 2 processes",
        arguments=("--warden", "--numprocesses=2"),
        packages=("pytest-warden",),
        remove_when="it contains nothing; it is for time-outs",
    ),
    Strategy(
        name="per-file",
        title="one pytest per file",
        two_modules=True,
        per_file=True,
        remove_when=_FIXED_UPSTREAM,
    ),
)

BY_NAME = {strategy.name: strategy for strategy in STRATEGIES}
NOTHING, GUARDED = BY_NAME["nothing"], BY_NAME["guard"]
SHOWN = tuple(sorted(STRATEGIES, key=lambda strategy: not strategy.recommended))
"""As pages list them."""
TIMED = tuple(strategy for strategy in STRATEGIES if not strategy.own_suite)
"""Those that are a way to run a suite: what they report, and what they cost, is measured too."""
