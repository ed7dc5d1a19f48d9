"""Fast paths: the contract, the reference, and one package per target."""
