"""Certificates with any names and extensions in them, for what no real one has. Nobody signed them."""

from puretls.der import oids, writer
from tests.support.credentials import issued

ALGORITHM = writer.sequence(writer.oid("1.2.840.10045.4.3.2"))


def attribute(kind, value):
    return writer.set_of(writer.sequence(writer.oid(kind), value))


def name(*rdns):
    return writer.sequence(*rdns)


PLAIN = name(attribute("2.5.4.3", writer.utf8_string("someone")))


def certificate(*, subject=PLAIN, issuer=PLAIN, serial=1, dates=None, names=(), extensions=()):
    """The DER of a certificate. `names`: the DER of GeneralNames for subjectAltName; `dates`: that of both times."""
    listed = [*extensions]
    if names:
        listed.append(extension(oids.SUBJECT_ALT_NAME, writer.sequence(*names)))
    validity = writer.sequence(*(dates or (writer.time(1_700_000_000), writer.time(2_700_000_000))))
    parts = [
        writer.explicit(0, writer.integer(2)),
        writer.integer(serial),
        ALGORITHM,
        issuer,
        validity,
        subject,
        issued().draft.spki,
    ]
    if listed:
        parts.append(writer.explicit(3, writer.sequence(*listed)))
    return writer.sequence(writer.sequence(*parts), ALGORITHM, writer.bit_string(b"\x30\x06\x02\x01\x01\x02\x01\x01"))


def extension(identifier, value):
    return writer.sequence(writer.oid(identifier), writer.octet_string(value))
