"""Certificates, chains with one thing wrong and the verdict that they deserve, CRLs, OCSP responses. All are signed with real keys."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import cache
from typing import Any

from hypothesis import assume
from hypothesis import strategies as st

from puretls.der import oids, writer
from puretls.testing.mapped import Mapped
from puretls.testing.pki import DEFECTS, STATUS_DEFECTS, TIME, Chain, Layer, Plan, Status, defect_named, plan, status
from puretls.testing.strategies.fields import either, indices
from puretls.x509 import drafts
from puretls.x509.certificates.certificate import annotate

Strategy = st.SearchStrategy
ANY = "any"
MAX_DEPTH = 3
"""Intermediates of a chain at most, unless told otherwise."""
KINDS = ("secp256r1", "secp384r1", "ed25519")
"""Kinds of keys that sign within milliseconds."""
_POLICY = drafts.extension(oids.CERTIFICATE_POLICIES, writer.sequence(writer.sequence(writer.oid("2.23.140.1.2.1"))))
_UNKNOWN = drafts.extension(b"\x2b\x06\x01\x04\x01\x8f\x6f\x02", writer.octet_string(b"anything"))


# What may be in an honest certificate


@cache
def _names() -> Strategy[tuple[str, ...]]:
    hosts = st.sampled_from(
        ("server.test", "*.server.test", "xn--bcher-kva.test", "a" * 63 + ".test", "192.0.2.1", "2001:db8::1")
    )
    return st.lists(hosts, min_size=1, max_size=3, unique=True).map(tuple)


_Change = Callable[[Layer], Layer]
_HARMLESS: tuple[_Change, ...] = (
    lambda one: one.having(policies=_POLICY),
    lambda one: one.having(unknown=_UNKNOWN),
    lambda one: one.having(crl_points=drafts.crl_distribution_points("http://crl.test/1")),
    lambda one: one.having(access=drafts.authority_info_access(ocsp=("http://ocsp.test",), issuers=("http://ca.test/1",))),
    lambda one: one.having(subject_key_identifier=None, authority_key_identifier=None),
    lambda one: one.but(not_after=TIME),
    lambda one: one.but(not_before=TIME),
    lambda one: one.but(not_after=4_102_444_800),
    lambda one: one.but(not_before=-631_152_000),
    lambda one: one.but(serial=2**159 - 1),
    lambda one: replace(one, extensions=dict(list(one.extensions.items())[::-1])),
)
"""What no validator may refuse a certificate for: unknown extensions that are not critical, dates at their edges (RFC 5280 4.1.2.5: a
certificate is valid at notBefore and at notAfter), the longest serial number."""


@st.composite
def _plans(draw: Any, depth: int | None) -> Plan:
    """Chains in which nothing is wrong; they shrink to a root, `depth` intermediates and a leaf of one name, all on P-256."""
    deep = draw(st.integers(0, MAX_DEPTH)) if depth is None else depth
    kinds = draw(st.lists(st.sampled_from(KINDS), max_size=deep + 2)) if draw(st.booleans()) else []
    drawn = plan(deep, names=draw(_names()), kinds=tuple(kinds), subject=draw(st.sampled_from(("server.test", None))))
    for place, number in draw(st.lists(st.tuples(st.integers(1, deep + 1), indices(len(_HARMLESS))), max_size=3)):
        drawn = drawn.changed(place, _HARMLESS[number])
    return replace(drawn, order=tuple(draw(st.permutations(range(deep))))) if deep > 1 else drawn


# Strategies


def chains(depth: int | None = None, defect: str | None = ANY) -> Strategy[Chain]:
    """Chains of `depth` intermediates (None: up to `MAX_DEPTH`), with exactly one thing wrong or nothing, and the expected verdict.

    `defect` is a name of `pki.DEFECTS`, None for nothing, "any" for one of them or nothing. They shrink to a plain chain, and to the
    certificate nearest to the root. Raises `UsageError` for a defect that is none.
    """
    if defect not in {ANY, None}:
        defect_named(str(defect))
    return _chains(depth, defect)


@st.composite
def _chains(draw: Any, depth: int | None, defect: str | None) -> Chain:
    drawn = draw(_plans(depth))
    name: str = draw(st.sampled_from(("", *DEFECTS))) if defect == ANY else defect or ""
    if not name:
        plain: Plan = drawn
        return plain.chain()
    row = defect_named(name)
    places = row.places(drawn)
    assume(places)
    place: int = draw(st.sampled_from(places))
    return row.in_plan(drawn, place)


@st.composite
def certificates(draw: Any) -> Mapped:
    """Single certificates in DER, for parsers: of leaves and authorities, honest but for what one defect in three makes of them."""
    made = draw(chains(defect=ANY if draw(st.integers(0, 2)) == 2 else None))
    assume(made.certificates)
    return Mapped(made.certificates[draw(indices(len(made.certificates)))], annotate)


def crls(defect: str | None = ANY) -> Strategy[Status]:
    """CRLs about the leaf of a plain chain, with one thing wrong or nothing, and the expected verdict; `.der` are the bytes.

    `defect` is a name of `pki.STATUS_DEFECTS["crl"]`, None for nothing, or "any".
    """
    return _statuses("crl", defect)


def ocsp_responses(defect: str | None = ANY) -> Strategy[Status]:
    """OCSP responses about the leaf of a plain chain; as `crls`, of `pki.STATUS_DEFECTS["ocsp"]`."""
    return _statuses("ocsp", defect)


def _statuses(kind: str, defect: str | None) -> Strategy[Status]:
    if defect not in {ANY, None}:
        status(kind, str(defect))
    names = st.sampled_from(tuple(STATUS_DEFECTS[kind])) if defect == ANY else st.just(defect or "")
    others = st.lists(st.sampled_from((1, 127, 128, 2**63, 2**159 - 1)), max_size=3, unique=True).map(tuple)
    return st.builds(status, st.just(kind), names, depth=either(st.just(1), st.integers(0, 2)), others=others)
