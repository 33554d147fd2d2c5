"""Measures what the pages claim about the crash, and writes it down as data under docs/evidence/.

`just evidence` runs the experiments, `just prove` looks at the cause under valgrind, and
`just check-upstream` asks whether the newest releases still need the workarounds.

Each question is a module of `experiments/`; `subjects` is what they measure. An `experiment` has
cells, which a `campaign` measures in throw-away `environments`: processes, told by their
`outcome`, or pytest `sessions`. What came of it are `records`; `markdown` and `svg` are what
snippets are made of. The `watch` asks the same of the newest releases.
"""
