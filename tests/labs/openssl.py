"""OpenSSL in the place of an end of a lab."""

import pytest

ssl = pytest.importorskip("ssl", reason="this Python has no OpenSSL")

from puretls.labs import stage  # noqa: E402
from puretls.labs.ends import NotSent  # noqa: E402
from puretls.testing.adapters.openssl import _NO_CHECK_TIME, MemoryBioPeer  # noqa: E402
from puretls.x509.keys import private_key_pem  # noqa: E402
from puretls.x509.pem import write_pem  # noqa: E402


class OpenSslEnd(MemoryBioPeer):
    """OpenSSL as the labs talk to an end."""

    def __init__(self, context, **options):
        super().__init__(context, **options)
        self.told = []
        self.start()

    @property
    def received(self):
        self._hear()
        return b"".join(each.data for each in self.told)

    @property
    def failure(self):
        """OpenSSL's reason, as it names it."""
        self._hear()
        return next((each.detail for each in self.told if each.kind == "failed"), None)

    @property
    def ending(self):
        """As `End.ending` is."""
        return f", and ended with: {self.failure}"

    def _hear(self):
        self.told += self.events()

    def take(self, expected=None):
        records = [record.to_bytes() for record in stage.records(super().take())]
        if expected is not None and len(records) != expected:
            raise NotSent(f"{len(records)} records, not {expected}")
        return records

    def give(self, *records):
        for record in records:
            self.receive(record)


def server_context(folder, kind="secp256r1", *, credential=None, **settings):
    """The context of a server with a certificate of the labs' authority."""
    credential = credential or stage.credential(kind)
    chain, key = folder / f"{kind}.pem", folder / f"{kind}.key"
    chain.write_text("".join(write_pem("CERTIFICATE", der) for der in credential.chain))
    key.write_text(private_key_pem(credential.key))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(chain, key)
    return _settled(context, **settings)


def client_context(**settings):
    """The context of a client that trusts the labs' authority."""
    return _settled(ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT), **settings)


def _settled(context, *, ciphers=None, options=0, verify=None):
    context.minimum_version = context.maximum_version = ssl.TLSVersion.TLSv1_2
    context.load_verify_locations(cadata=write_pem("CERTIFICATE", stage.authority().root.certificate))
    context.verify_flags |= _NO_CHECK_TIME
    context.options |= options | ssl.OP_NO_TICKET
    if ciphers:
        context.set_ciphers(ciphers)
    if verify is not None:
        context.verify_mode = verify
    return context
