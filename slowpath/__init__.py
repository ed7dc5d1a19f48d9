"""The slow path: from punted packets to splices."""
