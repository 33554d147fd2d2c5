"""The application's client, which opens its channel when it is made."""

import grpc.aio


class Client:
    """Talks to the service at an address."""

    def __init__(self, address: str) -> None:
        """Open the channel."""
        self.channel = grpc.aio.insecure_channel(address)
