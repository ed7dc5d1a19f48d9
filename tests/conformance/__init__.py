"""One rewrite, every target: vectors, strategies and the suite that holds each target to them."""
