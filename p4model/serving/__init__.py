"""What the gRPC services of a device have in common, whatever their protocol."""
