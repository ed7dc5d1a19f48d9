"""The wire format of BfRt: `bfruntime.proto`, and the modules that protoc makes of it when the package is built."""
