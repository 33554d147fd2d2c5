"""The known issues: their front matter, what is made of it, and tests that run their suites."""
