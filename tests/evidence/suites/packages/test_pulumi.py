"""pulumi: a program with a transform has a server of its own, in tests with mocks too."""

import asyncio

import pulumi
import pytest
from conftest import Forgotten
from pulumi.runtime._callbacks import _CallbackServicer


class Mocks(pulumi.runtime.Mocks):
    """An engine that makes everything at once."""

    def new_resource(self, args: pulumi.runtime.MockResourceArgs) -> tuple[str, dict[str, object]]:
        """Make a resource."""
        return f"{args.name}-id", args.inputs

    def call(self, args: pulumi.runtime.MockCallArgs) -> dict[str, object]:
        """Call nothing."""
        del args
        return {}


class Thing(pulumi.CustomResource):
    """A resource with a transform."""

    def __init__(self, name: str) -> None:
        """Make it."""

        def transform(args: pulumi.ResourceTransformArgs) -> pulumi.ResourceTransformResult:
            return pulumi.ResourceTransformResult(args.props, args.opts)

        super().__init__(
            "any:index:Thing", name, {"size": 1}, pulumi.ResourceOptions(transforms=[transform])
        )


@pytest.fixture(autouse=True)
def program() -> None:
    """Begin a program anew."""
    asyncio.set_event_loop(asyncio.new_event_loop())
    pulumi.runtime.set_mocks(Mocks())


@pulumi.runtime.test
def test_stops() -> pulumi.Output[None]:
    """A test of the package's kind stops the server at its end."""

    def check(found: str) -> None:
        assert found == "first-id"
        assert len(_CallbackServicer._servicers) == 1  # noqa: SLF001 - shows that it serves

    return Thing("first").id.apply(check)


async def program_of_its_own() -> None:
    """Make a resource, and no more."""
    assert await Thing("second").id.future() == "second-id"


def test_leaks(forgotten: Forgotten) -> None:
    """A program that is run without it leaves the server, which a list of the class keeps."""
    asyncio.run(program_of_its_own())
    (servicer,) = _CallbackServicer._servicers  # noqa: SLF001 - the list of the class
    forgotten.keep(servicer, servicer._target)  # noqa: SLF001 - its address
