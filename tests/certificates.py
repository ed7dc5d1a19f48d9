"""Certificates for tests, made by openssl(1): each signs itself."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from deploy.laboratory.namespace import sh


class Certificate(NamedTuple):
    """A certificate and its key, as PEM files."""

    path: Path
    key: Path


def certificate(directory: Path, name: str) -> Certificate:
    """Make one for the host `name` in `directory`."""
    made = Certificate(directory / f"{name}.pem", directory / f"{name}.key")
    sh(
        [
            *("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"),
            *("-days", "30", "-subj", f"/CN={name}", "-addext", f"subjectAltName=DNS:{name}"),
            *("-out", str(made.path), "-keyout", str(made.key)),
        ]
    )
    return made
