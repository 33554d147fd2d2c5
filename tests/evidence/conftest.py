"""What pytest needs to know of the harness."""

# Measured in throw-away environments, where some of them crash or hang: no tests of this project.
collect_ignore = ["suites"]
