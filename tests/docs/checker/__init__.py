"""The docs checker: reads the pages as MkDocs does, runs every fenced block and judges it.

- `page`: which blocks a page has, and which of its fences nobody can read;
- `transcript`: commands with their expected output, wildcards, differences;
- `sandbox`: a copy of the project in which a page's commands run;
- `verdict`: what is done with each kind of block;
- `plugin`: all of it as pytest items.
"""
