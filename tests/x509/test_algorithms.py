"""AlgorithmIdentifiers of signatures: each known one by its identifier and parameters, nothing else."""

import pytest

from puretls.crypto.signatures import SignatureAlgorithm, SignatureKind
from puretls.der import oids, writer
from puretls.der.reader import Reader
from puretls.errors import DecodeError
from puretls.x509 import drafts
from puretls.x509.keys import spki_bytes
from puretls.x509.keys.algorithms import SIGNATURES, allows, read_algorithm, signature_algorithm
from tests.x509.chains import authority, ids, key, leaf, root, verify

PSS = SignatureAlgorithm(SignatureKind.RSA_PSS, "sha256", 32, "sha256")


def parse(der):
    return signature_algorithm(read_algorithm(Reader(der), ""))


def test_every_algorithm_survives():
    for algorithm, _ in SIGNATURES.values():
        assert parse(drafts.algorithm_identifier(algorithm)) == algorithm
    for digest, salt in (("sha256", 32), ("sha384", 48), ("sha512", 64), ("sha1", 20), ("sha256", 65), ("sha256", 222)):
        algorithm = SignatureAlgorithm(SignatureKind.RSA_PSS, digest, salt, digest)
        assert parse(drafts.algorithm_identifier(algorithm)) == algorithm


@pytest.mark.parametrize(
    "der",
    [
        writer.sequence(writer.oid("1.2.3")),
        writer.sequence(writer.oid(oids.ECDSA_WITH_SHA256), writer.null()),  # RFC 5758 3.2: absent
        writer.sequence(writer.oid(oids.ED25519), writer.null()),  # RFC 8410 3: absent
        writer.sequence(writer.oid(oids.SHA256_WITH_RSA), writer.integer(1)),
        writer.sequence(writer.oid(oids.RSASSA_PSS)),  # RFC 4055 3.1: present in signatures
        drafts.algorithm_identifier(SignatureAlgorithm(SignatureKind.RSA_PSS, "sha256", 32, "sha1")),
    ],
)
def test_wrong_parameters_are_refused(der):
    with pytest.raises(DecodeError):
        parse(der)


def test_absent_parameters_pass_for_null_with_pkcs1_only():
    assert parse(writer.sequence(writer.oid(oids.SHA256_WITH_RSA))).hash == "sha256"


def pss_spki(made, parameters):
    """The RSA key of `made` as id-RSASSA-PSS."""
    _, *rest = _parts(spki_bytes(made.public))
    return writer.sequence(writer.sequence(writer.oid(oids.RSASSA_PSS), parameters), *rest)


def _parts(der):
    body = Reader(der).enter()
    while body.more:
        yield body.raw()


@pytest.mark.rfc("4055", "3.3")
def test_a_pss_key_signs_within_its_own_parameters():
    own = key("pss", "rsa2048")
    parameters = next(iter(list(_parts(drafts.algorithm_identifier(PSS)))[1:]))
    spki = pss_spki(own, parameters)
    assert allows(spki, PSS)
    assert allows(spki, SignatureAlgorithm(SignatureKind.RSA_PSS, "sha256", 48, "sha256"))
    for other in (("sha256", 20, "sha256"), ("sha384", 48, "sha384")):
        assert not allows(spki, SignatureAlgorithm(SignatureKind.RSA_PSS, *other))
    assert not allows(spki, SignatureAlgorithm(SignatureKind.RSA_PKCS1, "sha256"))
    anchor = root()
    above = authority(anchor, "pss ca", own=own, spki=spki)
    assert verify([leaf(above, algorithm=PSS), above], [anchor]).accepted
    short = SignatureAlgorithm(SignatureKind.RSA_PSS, "sha256", 20, "sha256")
    assert ids(verify([leaf(above, algorithm=short), above], [anchor])) == {"signature"}
    assert ids(verify([leaf(above, algorithm=SignatureAlgorithm(SignatureKind.RSA_PKCS1, "sha256")), above], [anchor])) == {"signature"}
