"""The commands: run a worker, run the orchestrator, and hear them speak."""

import asyncio
import logging
import signal
from collections.abc import Coroutine
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Annotated, Any, Final

import typer
from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn

from .client import Recording, SpeechError, record
from .interruption import unless
from .orchestrator import running_orchestrator
from .synthesizer import FRAME_MILLISECONDS
from .transport import LOCAL, split_address
from .worker import running_worker

# What a shell reports for a command that SIGINT ended.
INTERRUPTED: Final = 130

app: Final = typer.Typer(
    add_completion=False,
    no_args_is_help=True,
    help="A streaming text-to-speech pipeline over gRPC and WebSockets.",
)


def address(text: str) -> str:
    """Check an address from the command line."""
    try:
        split_address(text)
    except ValueError as error:
        raise typer.BadParameter(str(error)) from error
    return text


Listen = Annotated[
    str,
    typer.Option(
        metavar="HOST:PORT",
        parser=address,
        help="Where to listen; port 0: any. Everything goes over plain text, without a password: "
        "with another host than this machine's own, whoever reaches it can read and use it.",
    ),
]


def run(main: Coroutine[Any, Any, None]) -> bool:
    """Run `main` and return True, or False when SIGINT or SIGTERM ended it.

    A foreseeable error becomes one line on standard error and exit status 1.
    """
    logging.basicConfig(format="%(name)s: %(message)s")

    async def until_signalled() -> bool:
        signalled = asyncio.Event()
        for number in (signal.SIGINT, signal.SIGTERM):
            asyncio.get_running_loop().add_signal_handler(number, signalled.set)
        await unless(signalled.wait(), main)
        return not signalled.is_set()

    try:
        return asyncio.run(until_signalled())
    except (OSError, SpeechError) as error:
        typer.echo(f"error: {error}", err=True)
        raise typer.Exit(1) from error


@app.command()
def worker(
    listen: Listen = LOCAL,
    registry: Annotated[
        str | None,
        typer.Option(metavar="HOST:PORT", parser=address, help="The orchestrator's registry."),
    ] = None,
) -> None:
    """Run a worker until SIGINT or SIGTERM."""

    async def main() -> None:
        async with running_worker(listen=listen, registry=registry) as bound:
            typer.echo(f"worker listening on {bound}")
            await asyncio.Event().wait()

    run(main())


@app.command()
def orchestrator(listen: Listen = LOCAL, registry_listen: Listen = LOCAL) -> None:
    """Run the orchestrator until SIGINT or SIGTERM."""

    async def main() -> None:
        async with running_orchestrator(listen=listen, registry_listen=registry_listen) as bound:
            typer.echo(f"registry listening on {bound.registry}")
            typer.echo(f"orchestrator listening on {bound.url}")
            await asyncio.Event().wait()

    run(main())


@app.command()
def speak(
    text: Annotated[str, typer.Argument(help="What to say.")],
    out: Annotated[Path, typer.Option(dir_okay=False, help="The WAV file to write.")],
    url: Annotated[
        str | None,
        typer.Option(metavar="WS_URL", help="A running orchestrator; none: start all of it here."),
    ] = None,
) -> None:
    """Write a spoken text as a WAV file."""
    if not text.strip():
        raise typer.BadParameter("there is nothing to say", param_hint="TEXT")
    if not out.parent.is_dir():
        raise typer.BadParameter(f"no such folder: {out.parent}", param_hint="--out")

    async def main() -> None:
        async with AsyncExitStack() as stack:
            if (where := url) is None:
                bound = await stack.enter_async_context(running_orchestrator())
                await stack.enter_async_context(running_worker(registry=bound.registry))
                where = bound.url
            recording = await record_with_progress(where, text, out)
        channels = "mono" if recording.channels == 1 else f"{recording.channels} channels"
        typer.echo(
            f"wrote {recording.path}: {recording.seconds:.2f} s, {recording.frames} frames of "
            f"{FRAME_MILLISECONDS} ms, {recording.sample_rate_hz} Hz {channels}"
        )

    if not run(main()):
        raise typer.Exit(INTERRUPTED)


async def record_with_progress(url: str, text: str, out: Path) -> Recording:
    """Record, and show on standard error how far it is."""
    columns = (
        SpinnerColumn(),
        TextColumn("{task.completed} frames received, {task.fields[seconds]:.2f} s of audio"),
    )
    with Progress(*columns, console=Console(stderr=True)) as progress:
        task = progress.add_task("frames", total=None, seconds=0.0)
        received = 0

        def on_frame() -> None:
            nonlocal received
            received += 1
            progress.update(task, completed=received, seconds=received * FRAME_MILLISECONDS / 1000)

        recording = await record(url, text, out, on_frame)
        progress.update(task, total=recording.frames)
    return recording


if __name__ == "__main__":
    app(prog_name="python -m examples.voice_pipeline")
