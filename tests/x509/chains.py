"""Small chains for tests: a root, CAs and leaves on P-256, each open to any change."""

import hashlib
import itertools
from dataclasses import dataclass, replace
from functools import cache

from puretls.crypto.provider import default
from puretls.der import oids, writer
from puretls.x509 import drafts
from puretls.x509.certificates.certificate import Certificate
from puretls.x509.drafts import CertificateDraft, Signer
from puretls.x509.keys import spki_bytes
from puretls.x509.verifier import ChainRequest, chain_verifier

NOW = 1_700_000_000
YEAR = 365 * 86_400
HOST = "example.org"
PROVIDER = default()
_counter = itertools.count(1)


def random(length):
    """Bytes that are the same in every run."""
    return hashlib.shake_128(next(_counter).to_bytes(8)).digest(length)


@cache
def key(label, kind="secp256r1"):
    """One key a label, for the whole run."""
    return PROVIDER.generate(kind, random)


def common_name(text):
    return drafts.name((oids.COMMON_NAME, text)) if text else writer.sequence()


@dataclass(frozen=True)
class Made:
    """A certificate with the key it is about."""

    der: bytes
    name: bytes
    key: object
    draft: CertificateDraft

    @property
    def certificate(self):
        return Certificate.parse(self.der)


def make(subject, issuer, own_key, signing_key, extensions, /, *, algorithm=None, spki=None, **changes):
    """Signs a draft with `changes` of its fields."""
    draft = CertificateDraft(
        common_name(subject), issuer, int.from_bytes(b"\x01" + random(15)), NOW - YEAR, NOW + YEAR, spki or spki_bytes(own_key.public), extensions,
    )  # fmt: skip
    draft = replace(draft, **changes)
    return Made(draft.signed(Signer(signing_key, random, PROVIDER, algorithm)), draft.subject, own_key, draft)


CA_USAGE = drafts.key_usage(drafts.KEY_CERT_SIGN, drafts.CRL_SIGN)
CA_BASIC = drafts.basic_constraints(True)


def root(name="root", *, basic=CA_BASIC, usage=CA_USAGE, more=(), without_ski=False, label=None, **changes):
    own = changes.pop("own", None) or key(label or name)
    ski = b"" if without_ski else drafts.subject_key_identifier(own.public)
    extensions = tuple(e for e in (basic, usage, ski, *more) if e)
    return make(name, common_name(name), own, own, extensions, **changes)


def authority(above, name="ca", *, basic=CA_BASIC, usage=CA_USAGE, more=(), without_ski=False, without_aki=False, label=None, **changes):
    own = changes.pop("own", None) or key(label or name)
    ski = b"" if without_ski else drafts.subject_key_identifier(own.public)
    aki = b"" if without_aki else drafts.authority_key_identifier(above.key.public)
    extensions = tuple(e for e in (basic, usage, ski, aki, *more) if e)
    return make(name, above.name, own, above.key, extensions, **changes)


LEAF_USAGE = drafts.key_usage(drafts.DIGITAL_SIGNATURE)
SERVER = drafts.extended_key_usage(oids.SERVER_AUTH)
SAN = drafts.subject_alt_name([HOST])


def leaf(above, *, san=SAN, usage=LEAF_USAGE, eku=SERVER, more=(), without_aki=False, name="leaf", label="leaf", **changes):
    own = changes.pop("own", None) or key(label)
    aki = b"" if without_aki else drafts.authority_key_identifier(above.key.public)
    extensions = tuple(e for e in (usage, eku, san, aki, *more) if e)
    return make(name, above.name, own, above.key, extensions, **changes)


def verify(chain, anchors, *, host=HOST, purpose="server", time=NOW, profile="default", ocsp_response=None, fields=None, **options):
    """The report on `chain` (Made or DER, leaf first)."""
    verifier = chain_verifier([_der(a) for a in anchors], **{"provider": PROVIDER, "profile": profile, "random": random, **options})
    if fields:
        verifier = replace(verifier, **fields)
    return verifier(ChainRequest(tuple(_der(c) for c in chain), purpose, host, time, ocsp_response))


def _der(one):
    return one.der if isinstance(one, Made) else one


def ids(report):
    """The rules that the findings of a report are about."""
    return {finding.id for finding in report.findings}
