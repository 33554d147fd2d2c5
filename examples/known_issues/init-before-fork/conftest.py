"""A plugin or an SDK that prepares grpc.aio when it is imported: in pytest's own process."""

import os

import grpc.aio

if "INIT_GRPC_AIO" in os.environ:
    grpc.aio.init_grpc_aio()
