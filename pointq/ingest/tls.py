"""HTTPS by certificate files, which are read again when they are renewed."""

import logging
import ssl
from dataclasses import dataclass
from typing import NoReturn

from pointq.errors import ConfigError

log = logging.getLogger("pointq.ingest")


@dataclass(frozen=True, slots=True)
class TlsFiles:
    """PEM files: the certificate with its chain, and the private key, which may be in the same file."""

    certificate: str
    key: str | None = None

    def context(self) -> ssl.SSLContext:
        """What a server needs. Raises ConfigError where the files cannot be used."""
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        self._load(context)
        return context

    def reload(self, context: ssl.SSLContext) -> None:
        """Read the files again, for connections that come; what cannot be used changes nothing, and is said in the log."""
        try:
            # first into another one: a certificate without its key would be taken, and fail every connection
            self.context()
            self._load(context)
        except ConfigError as exc:
            log.error("%s; the certificate stays as it was", exc)  # noqa: TRY400 - it says what is wrong
        else:
            log.info("the certificate in %s was read again", self.certificate)

    def _load(self, context: ssl.SSLContext) -> None:
        try:
            context.load_cert_chain(self.certificate, self.key, _no_password)
        except ssl.SSLError as exc:
            hint = "expected PEM: the certificate, then its chain; and the key that belongs to it"
            raise ConfigError(f"{self._named} cannot be used: {exc.reason or exc}", hint=hint) from exc
        except OSError as exc:
            hint = "check the path, and that the user that runs pointq may read it"
            raise ConfigError(f"{self._named} cannot be read: {exc.strerror or exc}", hint=hint) from exc

    @property
    def _named(self) -> str:
        return f"serve.tls_certificate, {self.certificate}{f', with serve.tls_key, {self.key}' if self.key else ''},"


def _no_password() -> NoReturn:
    """OpenSSL would ask for one on the terminal, and wait."""
    raise ConfigError(
        "the key of serve.tls_certificate is encrypted", hint="decrypt it with `openssl pkey`, readable by pointq alone"
    )
