"""The named vectors: what each frame must lead to, written down without the code under test."""

from __future__ import annotations

from tests.conformance.vectors import classification, closing, injection, tcp_options, translation

VECTORS = (
    *translation.VECTORS,
    *tcp_options.VECTORS,
    *classification.VECTORS,
    *injection.VECTORS,
    *closing.VECTORS,
)
