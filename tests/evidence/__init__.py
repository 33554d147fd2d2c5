"""Measures what the pages claim about the crash, and writes it down as data under docs/evidence/.

`just evidence` runs the experiments, `just prove` looks at the cause under valgrind, and
`just check-upstream` asks whether the newest releases still need the workarounds.
"""
