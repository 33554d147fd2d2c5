"""The committed stubs."""

from __future__ import annotations

import shlex
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[3]
STUBS = Path("examples/voice_pipeline/v1")


def protoc_arguments(out: Path) -> list[str]:
    """Return the arguments of the recipe `proto` in the justfile, with another output folder."""
    lines = (ROOT / "justfile").read_text().replace("\\\n", " ").splitlines()
    (command,) = [line for line in lines if "grpc_tools.protoc" in line]
    _, _, arguments = command.partition("grpc_tools.protoc")
    return [
        argument.removesuffix(".") + str(out) if "_out=" in argument else argument
        for argument in shlex.split(arguments.partition("{{")[0])
    ]


def test_stubs_are_those_of_the_proto_files(tmp_path: Path) -> None:
    """Generating the stubs anew, as `just proto` does, gives the committed files and no other."""
    protos = sorted(str(path.relative_to(ROOT)) for path in (ROOT / STUBS).glob("*.proto"))
    command = [sys.executable, "-m", "grpc_tools.protoc", *protoc_arguments(tmp_path), *protos]
    # The plug-ins of protoc are next to the interpreter, on nobody's PATH but uv's.
    environment = {"PATH": str(Path(sys.executable).parent)}
    subprocess.run(command, cwd=ROOT, env=environment, check=True, timeout=60)

    generated = {path.name: path.read_text() for path in (tmp_path / STUBS).iterdir()}
    committed = {path.name: path.read_text() for path in (ROOT / STUBS).glob("*_pb2*.py*")}
    assert set(generated) == set(committed)
    stale = [name for name, text in generated.items() if committed[name] != text]
    assert not stale, f"run `just proto`: {stale}"
    assert len(generated) == 4 * len(protos)
