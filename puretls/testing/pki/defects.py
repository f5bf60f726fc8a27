"""What may be wrong with a chain: a table."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

from puretls import danger
from puretls.crypto.signatures import SignatureAlgorithm, SignatureKind
from puretls.der import oids, writer
from puretls.errors import UsageError
from puretls.testing.pki.plans import TIME, YEAR, Chain, Layer, Plan, common_name, key, provider_of_signers
from puretls.values import frozen
from puretls.x509 import drafts
from puretls.x509.drafts import Signer
from puretls.x509.keys import spki_bytes

UNKNOWN_CRITICAL = drafts.extension(b"\x2b\x06\x01\x04\x01\x8f\x6f\x01", writer.null(), critical=True)
"""A critical extension that nobody knows, under a private enterprise number."""


@frozen
class Defect:
    """One thing that may be wrong: `rule` is what refuses it, `section` the source, `change(plan, place)` makes it.

    `places(plan)` are the layers in which it can be made.
    """

    name: str
    rule: str
    section: str
    places: Callable[[Plan], range]
    change: Callable[[Plan, int], Plan]

    def in_plan(self, plan: Plan, place: int) -> Chain:
        """The chain with the defect in this place."""
        return self.change(plan, place).chain(self.name, self.rule, place)


def _leaf_only(plan: Plan) -> range:
    return range(plan.leaf, plan.leaf + 1)


def _authorities(plan: Plan) -> range:
    return range(1, plan.leaf)


def _any(plan: Plan) -> range:
    return range(1, plan.leaf + 1)


def _authorities_over_dns(plan: Plan) -> range:
    """Where a constraint on DNS names is about the name that is asked for."""
    return _authorities(plan) if plan.server_name[-1].isalpha() and ":" not in plan.server_name else range(0)


def _below_the_root(plan: Plan) -> range:
    return range(1, 2)


def _above_authorities(plan: Plan) -> range:
    return range(1, plan.leaf - 1)


def _layer(change: Callable[[Layer], Layer]) -> Callable[[Plan, int], Plan]:
    return lambda plan, place: plan.changed(place, change)


def _name_constraints(number: int, name: str) -> bytes:
    """Permitted (0) or excluded (1) DNS names (RFC 5280 4.2.1.10)."""
    subtree = writer.sequence(writer.implicit(2, name.encode()))
    return drafts.extension(oids.NAME_CONSTRAINTS, writer.sequence(writer.explicit(number, subtree)), critical=True)


def _excluded(plan: Plan, place: int) -> Plan:
    return plan.changed(place, lambda layer: layer.having(name_constraints=_name_constraints(1, plan.server_name)))


def flip_last(der: bytes) -> bytes:
    """A bit of the signature, which stands last."""
    return der[:-1] + bytes((der[-1] ^ 1,))


def _written_out(der: bytes) -> bytes:
    """A BOOLEAN that is true, but not 0xff (X.690 11.1)."""
    return der.replace(b"\x01\x01\xff", b"\x01\x01\x01", 1)


def _with_extensions(layer: Layer, change: Callable[[bytes], bytes]) -> Layer:
    """The extensions changed, before they are signed."""
    return replace(layer, extensions={name: change(value) for name, value in layer.extensions.items()})


def _weak(plan: Plan, place: int) -> Plan:
    """An RSA key of 1024 bits, which signs what is below it."""
    small = key("weak", "rsa1024")
    made = plan.changed(place, lambda layer: replace(layer.but(spki=spki_bytes(small.public)), key=small))
    if place == plan.leaf:
        return made
    return made.changed(place + 1, lambda layer: replace(layer, signer=small, algorithm=None))


def _mismatched(layer: Layer) -> Layer:
    """Another AlgorithmIdentifier inside than outside (4.1.1.2)."""
    inside = drafts.algorithm_identifier(SignatureAlgorithm(SignatureKind.ECDSA, "sha512"))
    outside = Signer(layer.signer, bytes, provider_of_signers(), layer.algorithm).identifier
    return replace(layer, finish=lambda der: _resigned(layer, der, outside, inside))


def _resigned(layer: Layer, der: bytes, outside: bytes, inside: bytes) -> bytes:
    drawn = replace(layer.draft, extensions=tuple(layer.extensions.values()))
    signer = Signer(layer.signer, danger.fixed_random(der), provider_of_signers(), layer.algorithm)
    tbs = drawn.tbs(inside)
    return writer.sequence(tbs, outside, writer.bit_string(signer.sign(tbs)))


def _sha1(layer: Layer) -> Layer:
    return replace(layer, algorithm=SignatureAlgorithm(SignatureKind.ECDSA, "sha1"))


def _elliptic(plan: Plan) -> range:
    """Layers that a key on a curve signs, which can sign with SHA-1."""
    found = [place for place in _any(plan) if drafts.natural_algorithm(plan.layers[place].signer).kind is SignatureKind.ECDSA]
    return range(found[0], found[-1] + 1) if found and len(found) == found[-1] - found[0] + 1 else range(0)


def _left_out(plan: Plan, place: int) -> Plan:
    return replace(plan, left_out=frozenset((place,)))


def _of_a_stranger(layer: Layer) -> Layer:
    """Under a root that is not the one that is trusted."""
    stranger = key("stranger")
    known = layer.having(authority_key_identifier=drafts.authority_key_identifier(stranger.public))
    return replace(known.but(issuer=common_name("stranger")), signer=stranger, algorithm=None)


def _of_another_name(layer: Layer) -> Layer:
    critical = layer.draft.subject == drafts.name()
    return layer.having(subject_alt_name=drafts.subject_alt_name(("another.test",), critical=critical))


_expired = _layer(lambda one: one.but(not_after=TIME - 1))
_early = _layer(lambda one: one.but(not_before=TIME + YEAR // 2))  # so that it stays early where a clock goes on
_other_issuer = _layer(lambda one: one.but(issuer=common_name("stranger")))
_bad_signature = _layer(lambda one: replace(one, finish=flip_last))
_other_key = _layer(lambda one: replace(one, signer=key("stranger"), algorithm=None))
_no_ca = _layer(lambda one: one.having(basic_constraints=drafts.basic_constraints(False)))
_no_basic = _layer(lambda one: one.having(basic_constraints=None))
_short_path = _layer(lambda one: one.having(basic_constraints=drafts.basic_constraints(True, 0)))
_no_cert_sign = _layer(lambda one: one.having(key_usage=drafts.key_usage(drafts.CRL_SIGN)))
_permits_others = _layer(lambda one: one.having(name_constraints=_name_constraints(0, "permitted.test")))
_for_clients = _layer(lambda one: one.having(extended_key_usage=drafts.extended_key_usage(oids.CLIENT_AUTH)))
_critical = _layer(lambda one: one.having(unknown=UNKNOWN_CRITICAL))
_twice = _layer(lambda one: one.having(again=one.extensions["key_usage"]))
_version_1 = _layer(lambda one: one.but(version=0))
_boolean = _layer(lambda one: _with_extensions(one, _written_out))
_behind = _layer(lambda one: replace(one, finish=lambda der: der + b"\0"))
_staple = _layer(lambda one: one.having(tls_feature=drafts.must_staple()))

DEFECTS: Mapping[str, Defect] = {
    row.name: row
    for row in (
        Defect("expired", "expired", "RFC 5280 4.1.2.5", _any, _expired),
        Defect("not yet valid", "not-yet-valid", "RFC 5280 4.1.2.5", _any, _early),
        Defect("wrong issuer", "unknown-issuer", "RFC 5280 6.1.3 (a)(4)", _any, _other_issuer),
        Defect("bad signature", "signature", "RFC 5280 6.1.3 (a)(1)", _any, _bad_signature),
        Defect("signed by another key", "signature", "RFC 5280 6.1.3 (a)(1)", _any, _other_key),
        Defect("not a CA", "not-a-ca", "RFC 5280 4.2.1.9", _authorities, _no_ca),
        Defect("no basicConstraints", "not-a-ca", "RFC 5280 4.2.1.9", _authorities, _no_basic),
        Defect("path length", "path-length", "RFC 5280 4.2.1.9", _above_authorities, _short_path),
        Defect("key usage", "key-cert-sign", "RFC 5280 4.2.1.3", _authorities, _no_cert_sign),
        Defect("name not permitted", "name-constraints", "RFC 5280 4.2.1.10", _authorities_over_dns, _permits_others),
        Defect("name excluded", "name-constraints", "RFC 5280 4.2.1.10", _authorities_over_dns, _excluded),
        Defect("wrong EKU", "extended-key-usage", "RFC 5280 4.2.1.12", _leaf_only, _for_clients),
        Defect("wrong EKU of a CA", "ca-extended-key-usage", "BR 7.1.2.10.6", _authorities, _for_clients),
        Defect("unknown critical extension", "unknown-critical-extension", "RFC 5280 4.2", _any, _critical),
        Defect("extension twice", "duplicate-extension", "RFC 5280 4.2", _any, _twice),
        Defect("weak key", "rsa-size", "NIST SP 800-131A 3", _any, _weak),
        Defect("SHA-1", "sha1", "RFC 9155 3", _elliptic, _layer(_sha1)),
        Defect("algorithms differ", "algorithm-mismatch", "RFC 5280 4.1.1.2", _any, _layer(_mismatched)),
        Defect("version 1 with extensions", "extensions-need-version-3", "RFC 5280 4.1.2.9", _any, _version_1),
        Defect("BOOLEAN of 01", "strict-der", "X.690 11.1", _any, _boolean),
        Defect("bytes behind the end", "malformed", "RFC 5280 4.1", _leaf_only, _behind),
        Defect("wrong name", "wrong-host", "RFC 9525 6", _leaf_only, _layer(_of_another_name)),
        Defect("must-staple", "must-staple", "RFC 7633 4.2.2", _leaf_only, _staple),
        Defect("intermediate not sent", "unknown-issuer", "RFC 5280 6.1", _authorities, _left_out),
        Defect("root not trusted", "unknown-issuer", "RFC 5280 6.1", _below_the_root, _layer(_of_a_stranger)),
    )
}
"""Name -> what is wrong with a chain. Each makes one rule of the default profile refuse it."""


def defect_named(name: str) -> Defect:
    """A row of `DEFECTS`. Raises `UsageError` for a name that none has."""
    if name not in DEFECTS:
        raise UsageError(f"no defect is called {name!r}; there are {', '.join(DEFECTS)}")
    return DEFECTS[name]
