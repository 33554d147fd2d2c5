"""A server whose start takes a while: until it is told on standard input that it is over."""

import sys
from concurrent.futures import ThreadPoolExecutor

import grpc

ECHO = grpc.unary_unary_rpc_method_handler(lambda request, _: request, bytes, bytes)

server = grpc.server(ThreadPoolExecutor(2))
handlers = grpc.method_handlers_generic_handler("echo.Echo", {"Say": ECHO})
server.add_generic_rpc_handlers((handlers,))
sys.stdin.readline()  # stands for the imports, the database, ...
port = server.add_insecure_port(f"127.0.0.1:{sys.argv[1]}")
server.start()
print(port, flush=True)
server.wait_for_termination()
