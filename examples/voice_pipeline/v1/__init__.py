"""The protocol, version 1: two .proto files and the stubs that `just proto` generates from them."""
