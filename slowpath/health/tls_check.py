"""A check that shakes hands over TLS, alone or before another conversation."""

from __future__ import annotations

import ssl
from dataclasses import dataclass
from pathlib import Path

from slowpath.health.exchange import CheckFailed, Exchange

_READ = 65536


@dataclass(frozen=True, slots=True)
class TlsCheck:
    """How to speak TLS: `context` says what is verified, `server_name` is the SNI, None for none."""

    context: ssl.SSLContext
    server_name: str | None = None

    @classmethod
    def made(cls, server_name: str | None, ca: Path | None, *, http: bool) -> TlsCheck:
        """A check that verifies the certificate against `ca` (a PEM file), and its name if there is one; or nothing.

        `http`: HTTP/1.1 is offered by ALPN. Raises OSError or ssl.SSLError if `ca` cannot be read.
        """
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = ca is not None and server_name is not None
        context.verify_mode = ssl.CERT_NONE if ca is None else ssl.CERT_REQUIRED
        if ca is not None:
            context.load_verify_locations(ca)
        if http:
            context.set_alpn_protocols(["http/1.1"])
        return cls(context, server_name)


class TlsExchange:
    """An Exchange inside TLS; without an `inner` one it is done when the handshake is."""

    def __init__(self, check: TlsCheck, inner: Exchange | None) -> None:
        self._incoming, self._outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._tls = check.context.wrap_bio(self._incoming, self._outgoing, server_hostname=check.server_name)
        self._inner = inner
        self._shaken = False

    @property
    def done(self) -> bool:
        """See Exchange."""
        return self._shaken if self._inner is None else self._inner.done

    def start(self) -> bytes:
        """See Exchange."""
        self._advance()
        return self._outgoing.read()

    def receive(self, data: bytes) -> bytes:
        """See Exchange."""
        self._incoming.write(data)
        self._advance()
        return self._outgoing.read()

    def ended(self) -> None:
        """See Exchange."""
        if not self._shaken:
            raise CheckFailed("closed", "closed within the TLS handshake")
        if self._inner is not None and not self._inner.done:
            self._inner.ended()

    def _advance(self) -> None:
        try:
            if not self._shaken:
                self._tls.do_handshake()
                self._shaken = True
                if self._inner is not None:
                    self._tls.write(self._inner.start())
            while self._inner is not None and not self._inner.done:
                data = self._tls.read(_READ)
                if not data:
                    self._inner.ended()
                    return
                if answer := self._inner.receive(data):
                    self._tls.write(answer)
        except ssl.SSLWantReadError:
            return
        except ssl.SSLZeroReturnError:
            if self._inner is not None:
                self._inner.ended()
        except ssl.SSLCertVerificationError as error:
            raise CheckFailed("tls", f"TLS: {error.verify_message}") from None
        except ssl.SSLError as error:
            raise CheckFailed("tls", f"TLS: {error.reason or 'the handshake failed'}") from None
