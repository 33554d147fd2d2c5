"""Whatever the write-up said that this site grew from has its answer on a page."""

import re
from pathlib import Path

import pytest
from markdown.extensions.toc import slugify

DOCS = Path(__file__).parents[2] / "docs"

CRASH = "known-issues/grpc-segfault.md"
FORKED = "known-issues/grpc-segfault-forked.md"
WORKAROUNDS = "known-issues/grpc-segfault-workarounds.md"
ONE_TEST = "tests/integration/test_full_pipeline.py::test_full_pipeline_websocket_only"

# Each heading of the write-up: its page, the anchor of the section that answers it, and words of
# its own that this section still has; "" is the part of a page before its second heading.
ANSWERS = {
    "gRPC Segfault Workaround for Integration Tests": (CRASH, "", "Garbage-collecting"),
    "Problem Summary": (CRASH, "upstream", "https://github.com/grpc/grpc/issues/37714"),
    "Symptoms": (CRASH, "", "Fatal Python error: Segmentation fault"),
    "Solution: Process Isolation with pytest-forked": (FORKED, "", "in a process of its own"),
    "Installation": (FORKED, "install", "$ uv sync --extra dev"),
    "Usage": (FORKED, "run", "--forked"),
    "Recommended: Use justfile command": (
        FORKED,
        "run",
        '$ just test-integration\nuv run pytest tests/integration/ --forked -v -m "integration"',
    ),
    "Manual invocation": (FORKED, "run", f"$ uv run pytest {ONE_TEST} --forked -v"),
    "Fast mode (no isolation, may segfault)": (FORKED, "run", "$ just test-integration-fast"),
    "How It Works": (FORKED, "how-it-works", "forks the pytest process"),
    "Current Status": (FORKED, "run", "[..] 24 passed in [..]"),
    "M1 Integration Tests (test_m1_worker_integration.py)": (
        FORKED,
        "run",
        (
            "$ uv run pytest tests/integration/test_m1_worker_integration.py --forked -v\n"
            "...\n"
            "[..] 16 passed in [..]"
        ),
    ),
    "Full Pipeline Tests (test_full_pipeline.py)": (
        FORKED,
        "run",
        (
            "$ uv run pytest tests/integration/test_full_pipeline.py --forked -v\n"
            "...\n"
            "[..] 8 passed in [..]"
        ),
    ),
    "Additional Workarounds in conftest.py": (WORKAROUNDS, "what-does-not-help", ""),
    "1. GC Workaround Fixture": (
        WORKAROUNDS,
        "the-gc-fixture",
        '--8<-- "tests/evidence/plugins/gc_fixture.py"',
    ),
    "2. Module-scoped fixtures": (
        WORKAROUNDS,
        "module-scoped-loops",
        ("asyncio_default_fixture_loop_scope = module\nasyncio_default_test_loop_scope = module\n"),
    ),
    "Limitations": (FORKED, "what-it-costs", "**Against it:**"),
    "Process Forking Trade-offs": (FORKED, "what-it-costs", "**For it:**"),
    "When --forked May Still Report Failures": (
        FORKED,
        "crashed-with-signal-11",
        "running the test CRASHED with signal 11",
    ),
    "Testing Strategy": (FORKED, "which-way-to-run-the-tests-when", ""),
    "Development (fast iteration)": (
        FORKED,
        "which-way-to-run-the-tests-when",
        f"$ uv run pytest {ONE_TEST} -v",
    ),
    "CI/CD (reliability)": (
        FORKED,
        "which-way-to-run-the-tests-when",
        "**In CI**, forked, as long as any test of the suite may leak: `just test-integration`",
    ),
    "Debugging": (
        FORKED,
        "which-way-to-run-the-tests-when",
        "$ uv run pytest tests/integration/ --forked -vv --log-cli-level=DEBUG",
    ),
    "Future Resolution": (CRASH, "verify", "`just check-upstream`"),
    "Summary": (FORKED, "when-it-may-go", "`just test-integration-fast` passes"),
    "Related Documentation: Known Issues Index": (CRASH, "read-on", "(README.md)"),
    "Related Documentation: Testing Guide": (CRASH, "read-on", "(../TESTING_GUIDE.md)"),
    "Related Documentation: Development Guide": (CRASH, "read-on", "(../DEVELOPMENT.md)"),
}


def sections(page: str) -> dict[str, str]:
    """Return what a page's source says under each of its anchors, the headings below included."""
    text = (DOCS / page).read_text(encoding="utf-8")
    # In a fence no line is a heading, so each gets a blank for its first character here.
    masked = re.sub(
        r"^ *```.*?^ *```",
        lambda fence: re.sub(r"(?m)^.", " ", fence[0]),
        text,
        flags=re.MULTILINE | re.DOTALL,
    )
    headings = list(re.finditer(r"^(#+) (.+?)(?: \{ #([\w-]+).*\})?$", masked, re.MULTILINE))
    found = {"": text[: headings[1].start()]}
    for place, heading in enumerate(headings):
        level = len(heading[1])
        end = next((h.start() for h in headings[place + 1 :] if len(h[1]) <= level), len(text))
        found[heading[3] or slugify(heading[2], "-")] = text[heading.start() : end]
    return found


@pytest.mark.parametrize("heading", ANSWERS)
def test_each_heading_has_its_answer(heading: str) -> None:
    """The section is there, and still has what the write-up had."""
    page, anchor, words = ANSWERS[heading]
    assert words in sections(page)[anchor]


def test_a_section_ends_where_the_next_one_begins() -> None:
    """What is looked for on a page is not found in a section that merely follows."""
    found = sections(FORKED)
    assert "just test-integration-fast" in found["run"]
    assert "uv sync" not in found["run"]
    assert "`pytest<9.2` is part of it" in found["install"]
