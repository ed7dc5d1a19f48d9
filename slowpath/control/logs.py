"""Logging to standard error."""

from __future__ import annotations

import logging
import os
import sys


def set_up(level: int = logging.INFO) -> None:
    """Send records of `level` and above to standard error, one line each.

    Under systemd the journal stamps every line and reads its priority from a `<N>` prefix (sd-daemon(3)).
    """
    # gRPC writes to standard error on its own; what matters of that comes back as errors.
    os.environ.setdefault("GRPC_VERBOSITY", "ERROR")
    handler = logging.StreamHandler(sys.stderr)
    if "JOURNAL_STREAM" in os.environ:
        handler.setFormatter(_JournalFormatter("%(name)s: %(message)s"))
    else:
        handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    logging.basicConfig(level=level, handlers=[handler], force=True)


class _JournalFormatter(logging.Formatter):
    """Starts every line with its syslog priority."""

    _PRIORITIES = ((logging.ERROR, 3), (logging.WARNING, 4), (logging.INFO, 6), (logging.NOTSET, 7))

    def format(self, record: logging.LogRecord) -> str:
        """The record's lines, each with the priority in front."""
        priority = next(number for level, number in self._PRIORITIES if record.levelno >= level)
        return "\n".join(f"<{priority}>{line}" for line in super().format(record).splitlines())
