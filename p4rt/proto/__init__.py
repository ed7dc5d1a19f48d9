"""The wire format of P4Runtime: its .proto files, and the modules that the build makes of them."""
