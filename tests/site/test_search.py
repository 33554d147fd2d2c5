"""The search of the site, as its reader's browser runs it, leads to the page of each text."""

import json
from collections.abc import Callable, Iterator

import pytest
from py_mini_racer import mini_racer

from tests.known_issues.front_matter import issues
from tests.site.conftest import PROJECT, Make

# What the search finds around it in a browser, and the site's script.
BROWSER = """
var self = globalThis, console = {warn() {}}, document$ = {subscribe() {}};
var listeners = {}, said;
function addEventListener(name, listener) { listeners[name] = listener; }
function postMessage(message) { said = message; }
function ask(type, data) { listeners.message({data: {type, data}}); return true; }
function answer() { return JSON.stringify(said.data ?? null); }
"""
SETUP, QUERY = 0, 2  # types of messages to the worker

TEXTS = [
    pytest.param(issue.id, text, id=f"{issue.id}: {text}")
    for issue in issues(PROJECT)
    for text in (*issue.messages, *issue.signs)
]
AMBIGUOUS = {
    "Check failed: next_worker->state == KICKED": "told as a look-alike on another page",
    "running the test CRASHED with signal 11": "two pages have it: of one test, and of all",
    "Timeout (…)!": "one word, which other issues have, too",
    "skipping fork() handlers … Fatal Python error: Segmentation fault": "each crash has it",
    "EXITED with status 1": "status 139 begins as it does",
}
"""Texts of which the words alone do not lead to one page, and why."""

Search = Callable[[str], list[str]]


@pytest.fixture(scope="module")
def search(make: Make) -> Iterator[Search]:
    """Search as Material does, for the words that the site's script takes from a query."""
    site = make("build")
    (worker,) = site.glob("assets/javascripts/workers/search.*.js")
    index = json.loads((site / "search/search_index.json").read_text("utf-8"))
    with mini_racer() as engine:
        for source in (
            BROWSER,
            (site / "assets/site.js").read_text("utf-8"),
            worker.read_text("utf-8"),
        ):
            engine.eval(source)
        engine.call("ask", SETUP, {**index, "options": {"suggest": False}})

        def find(query: str) -> list[str]:
            engine.call("ask", QUERY, engine.call("searchable", query))
            found = json.loads(str(engine.eval("answer()")))
            return [entries[0]["location"].partition("#")[0] for entries in found["items"]]

        yield find


@pytest.mark.parametrize(("issue", "text"), TEXTS)
def test_each_text_of_an_issue_leads_to_its_page(issue: str, text: str, search: Search) -> None:
    """First of all pages; an ambiguous one among the first three."""
    first = search(text)[: 3 if text in AMBIGUOUS else 1]
    assert f"known-issues/{issue}/" in first


def test_what_is_ambiguous_is_a_text_of_an_issue() -> None:
    """No excuse outlives its text."""
    assert {param.values[1] for param in TEXTS} >= AMBIGUOUS.keys()


@pytest.mark.parametrize(
    ("query", "page"),
    [
        ("signal 11", "known-issues/grpc-segfault/"),
        ("exit code 139", "known-issues/grpc-segfault/"),
        ("DEADLINE_EXCEEDED", "known-issues/deadline-in-the-loop/"),
        ("--forked", "known-issues/grpc-segfault-forked/"),
        ("--forked --cov", "known-issues/forked-coverage/"),
        ("NO_PROXY", "known-issues/http-proxy/"),
        (
            "E  RuntimeError: Task <x> got Future <Future pending> attached to a different loop",
            "known-issues/event-loop-closed/",
        ),
        ("paste log", "known-issues/triage/"),
        ("check your own site", "check-your-own-site/"),
        ("why not sybil", "decisions/not-sybil/"),
    ],
)
def test_what_is_typed_or_pasted_leads_to_its_page(query: str, page: str, search: Search) -> None:
    """A word, a line of a log; and the texts of the issues are not in the way of other pages."""
    assert search(query)[0] == page


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("--forked", "forked"),
        ("exit code -11", "exit code 11"),
        ("Task-7 in a loop:", "Task-7 loop"),
        ("~~~^^^ a *b*", "a b"),
        ("is it", "is it"),
        ("  ", ""),
    ],
)
def test_a_query_is_read_as_words(query: str, words: str, searchable: Callable[[str], str]) -> None:
    """A sign that means something to the search means nothing to who pastes it."""
    assert searchable(query) == words


@pytest.fixture(scope="module")
def searchable() -> Iterator[Callable[[str], str]]:
    """What the site's script takes from a query."""
    with mini_racer() as engine:
        engine.eval(BROWSER)
        engine.eval((PROJECT / "docs/assets/site.js").read_text("utf-8"))
        yield lambda query: str(engine.call("searchable", query))
