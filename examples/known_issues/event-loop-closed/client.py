"""The application's client: one channel for the whole process, made at its first use."""

import functools
import os

import grpc.aio


@functools.cache
def channel() -> grpc.aio.Channel:
    """Give the channel to the service at ECHO_ADDRESS."""
    return grpc.aio.insecure_channel(os.environ["ECHO_ADDRESS"])
