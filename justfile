# Both builders of the site announce the end of one at every build: docs/decisions/builder.md tells it.
export NO_MKDOCS_2_WARNING := "1"
export DISABLE_MKDOCS_2_WARNING := "true"

# What is given to a recipe reaches its command as it was typed: "$@".
set positional-arguments

protos := "examples/voice_pipeline/v1/*.proto"

# List the recipes.
default:
    @just --list

# Install everything that the recipes need into .venv.
[private]
install:
    @uv sync --quiet --extra dev

# Show the site at http://127.0.0.1:8000 and rebuild it at each change; a dead link is only named.
serve *ARGS: install
    uv run mkdocs serve --no-strict "$@"

# Build the site into site/; any warning is an error.
build: install
    uv run mkdocs build --strict
    uv run python -m tests.site.publish

# Build the site into site/ with Zensical, which is to follow Material; any warning is an error.
build-zensical: install
    uv run zensical build --strict --clean
    uv run python -m tests.site.publish

# Take a picture of each page into site-screenshots/, or of those named; of the home page for README.
screenshots *PAGES: build
    uv run python -m tests.browser.screenshots "$@"

# Measure every page with Lighthouse as on a phone, into docs/evidence/data/ (needs npx, chromium).
lighthouse *PAGES: build
    uv run python -m tests.browser.lighthouse "$@"

# Make the fonts of the site small, from those that npm has (needs npm).
fonts:
    npm install --silent --prefix .fonts @fontsource-variable/inter@5.3.0 @fontsource-variable/jetbrains-mono@5.3.0
    uv run --no-project --with fonttools==4.60.0 --with brotli==1.1.0 python tests/site/fonts.py \
        .fonts/node_modules/@fontsource-variable/*/files/*-latin-wght-normal.woff2
    rm -r .fonts

# Draw the picture that a chat shows of a link to the site (apt-get install chromium).
card: install
    uv run python -m tests.site.card

# Formatting, lint, types, strict build, and all tests: unit, integration, docs, and the site in a browser.
test: check
    uv run pytest --docs --numprocesses auto -rs docs tests examples/grpc_guard/tests

# What needs no test, at once.
[parallel]
[private]
check: lint build

# Formatting, lint, of the workflows too, and types.
[parallel]
lint: style types types-of-checker

# Formatting and lint.
[private]
style: install
    uv run ruff format --check
    uv run ruff check
    uv run actionlint -shellcheck= -pyflakes= .github/workflows/*.yml
    uv run zizmor --offline --quiet --persona pedantic .github

# Types, and those of the two files that older Pythons run.
[private]
types: install
    uv run mypy
    uv run mypy --python-version 3.10 examples/grpc_guard/grpc_guard.py docs/assets/triage.py

# Types of the checker: a distribution of its own, with names of its own.
[private]
types-of-checker: install
    cd tests/mkdocs_blocks && uv run mypy --config-file ../../pyproject.toml mkdocs_blocks tests

# Let git check, before each commit, what is quick.
hooks: install
    uv run prek install

# Run every block of the docs, or of the pages named (docs/index.md), or one block (docs/index.md:12).
test-docs *PAGES="docs": install
    uv run pytest --docs --numprocesses auto "$@"

# Run the blocks and rewrite the expected outputs that differ.
bless-docs *PAGES="docs": install
    uv run pytest --bless-docs --numprocesses auto "$@"

# Check each page when it is saved, and say in one line what broke.
watch-docs: install
    uv run python -m mkdocs_blocks.watch -- --numprocesses auto

# The site in a real browser (apt-get install chromium).
test-site: install
    uv run pytest --numprocesses auto -rs tests/browser

# The integration tests, each in a process of its own.
test-integration: install
    uv run pytest tests/integration/ --forked -v -m "integration"

# The integration tests in one process.
test-integration-fast: install
    uv run pytest tests/integration/ -v -m "integration"

# Which lines of the voice pipeline and the plugins the tests run, in the processes that they start too.
coverage: install
    uv run coverage erase
    uv run coverage run -m pytest --numprocesses auto tests/unit tests/integration \
        tests/mkdocs_blocks/tests examples/grpc_guard/tests
    uv run coverage combine --quiet
    uv run coverage report

# Measure what the pages claim: all of it, the experiments named, or with --only some cells.
evidence *ARGS: install
    uv run python -m tests.evidence evidence "$@"

# Show the cause: the reproducer under valgrind (apt-get install valgrind).
prove: install
    uv run python -m tests.evidence prove

# Measure how quick the checker of the pages is, side by side with others.
bench *ARGS: install
    uv run python -m tests.evidence bench "$@"

# Ask whether the newest releases still need the workarounds (--pre: pre-releases too); 1: a page is out of date, 3: could not be found out.
check-upstream *ARGS: install
    uv run python -m tests.evidence check-upstream "$@"

# Write what is made of the known issues' front matter: index, navigation, known-issues.json, feed.
[no-exit-message]
known-issues: install
    @uv run python -m tests.known_issues generate

# Begin a known issue: just new-issue event-loop-closed writes its page and its suite.
[no-exit-message]
new-issue ID: install
    @uv run python -m tests.known_issues new "$@"

# Generate the gRPC stubs from the .proto files.
proto: install
    uv run python -m grpc_tools.protoc --proto_path=. --python_out=. --grpc_python_out=. \
        --mypy_out=quiet:. --mypy_grpc_out=quiet,only_async:. {{ protos }}

# Renew the exact pins in pyproject.toml with the newest versions that its dependencies allow.
update:
    uv run --isolated --no-project --python ">=3.11" --with tomlkit python -m tests.project.update
