"""The service that is tested."""

import grpc


def say(request: bytes, _context: grpc.ServicerContext) -> bytes:
    """Give back what was sent, or complain that nothing was."""
    if request:
        return request
    return b"nothing was sent"
