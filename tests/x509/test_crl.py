"""CRLs as values: strict parsing, spans that tile, any bytes."""

import contextlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from puretls.ca import DevelopmentCa
from puretls.danger import fixed_random
from puretls.der import oids, writer
from puretls.errors import DecodeError
from puretls.spans import check_tiling
from puretls.x509 import drafts
from puretls.x509.certificates.explain import annotated
from puretls.x509.crl import Crl, CrlNumber, DeltaCrlIndicator, IssuingDistributionPoint
from puretls.x509.drafts import CrlDraft, RevokedEntry

NOW = 1_800_000_000
CA = DevelopmentCa.create(fixed_random(b"test_crl"), NOW)
CRITICAL = drafts.extension(oids.encode_oid("1.2.3.4"), b"\x05\x00", critical=True)


def draft(**changes):
    fields = {"issuer": CA.issuer.name, "this_update": NOW, "next_update": NOW + 100} | changes
    return CrlDraft(**fields)


def parsed(**changes):
    return Crl.parse(draft(**changes).signed(CA.signer))


@pytest.mark.rfc("5280", "5.1")
def test_fields_and_extensions_are_typed():
    entries = (RevokedEntry(5, NOW - 9, 1), RevokedEntry(2**100, NOW - 8))
    idp = drafts.issuing_distribution_point("http://crl.test/1", user=True)
    crl = parsed(revoked=entries, extensions=(drafts.crl_number(7), drafts.delta_crl_indicator(3), idp))
    assert (crl.version, crl.this_update, crl.next_update) == (2, NOW, NOW + 100)
    assert [(one.serial_number, one.revocation_date, one.reason) for one in crl.entries] == [
        (5, NOW - 9, 1),
        (2**100, NOW - 8, None),
    ]
    assert crl.get(CrlNumber).number == 7
    assert crl.get(DeltaCrlIndicator).base_number == 3
    scope = crl.get(IssuingDistributionPoint)
    assert scope.only_user
    assert not scope.indirect
    assert crl.find(crl.issuer, 5).reason_text == "keyCompromise"
    assert crl.find(crl.issuer, 6) is None


@pytest.mark.rfc("5280", "5.3.3")
def test_entries_of_an_indirect_crl_take_their_issuer_from_those_before_them():
    other = drafts.name((oids.COMMON_NAME, "other"))
    named = drafts.extension(oids.CERTIFICATE_ISSUER, writer.sequence(writer.explicit(4, other)), critical=True)
    crl = parsed(revoked=(RevokedEntry(1, NOW), RevokedEntry(2, NOW, None, (named,)), RevokedEntry(3, NOW)))
    assert [one.issuer.raw for one in crl.entries] == [CA.issuer.name, other, other]
    assert crl.find(crl.issuer, 3) is None


@pytest.mark.rfc("5280", "5.2")
def test_unknown_critical_extensions_are_found_in_the_list_and_in_entries():
    assert parsed(extensions=(CRITICAL,)).unknown_critical == oids.encode_oid("1.2.3.4")
    assert parsed(revoked=(RevokedEntry(1, NOW, None, (CRITICAL,)),)).unknown_critical is not None
    assert parsed(revoked=(RevokedEntry(1, NOW, 1),)).unknown_critical is None


@pytest.mark.rfc("5280", "5.1.2.1")
@pytest.mark.parametrize(
    "changes",
    [
        {"version": 0},
        {"version": 2},
        {"version": None, "extensions": (drafts.crl_number(1),)},
        {"version": None, "revoked": (RevokedEntry(1, NOW, 1),)},
        {"extensions": (drafts.crl_number(1), drafts.crl_number(2))},
        {"extensions": (drafts.crl_number(-1),)},
        {"extensions": (drafts.crl_number(1 << 200),)},
        {"extensions": (drafts.issuing_distribution_point(),)},
        {"extensions": (drafts.issuing_distribution_point(user=True, ca=True),)},
        {"revoked": (RevokedEntry(1, NOW, 7),)},
    ],
)
def test_crls_against_the_profile_are_refused(changes):
    with pytest.raises(DecodeError):
        parsed(**changes)


def test_version_1_without_extensions_is_read():
    assert parsed(version=None, revoked=(RevokedEntry(1, NOW),)).version == 1


@pytest.mark.rfc("5280", "5.1.1.2")
def test_two_different_signature_algorithms_are_refused():
    tbs = draft().tbs(writer.sequence(writer.oid(oids.ED25519)))
    with pytest.raises(DecodeError, match="two different"):
        Crl.parse(CA.signer.seal(tbs))


def example():
    idp = drafts.issuing_distribution_point("http://crl.test/1", user=True, indirect=True)
    return draft(revoked=(RevokedEntry(5, NOW, 1), RevokedEntry(6, NOW)), extensions=(drafts.crl_number(7), idp)).signed(
        CA.signer
    )


EXAMPLE = example()


def test_spans_tile_and_name_the_rfc():
    spans = Crl.parse(EXAMPLE).spans()
    assert check_tiling(spans, len(EXAMPLE)) == ""
    assert not any(span.fault for span in spans)
    assert all("RFC" in span.note for span in spans)
    assert "keyCompromise" in Crl.parse(EXAMPLE).text()
    serial = next(span for span in spans if span.path.endswith("revoked_certificates[1].user_certificate"))
    assert serial.value == 6


@given(st.integers(0, len(EXAMPLE) - 1), st.integers(0, 255))
@settings(max_examples=150, deadline=None)
def test_spans_of_damaged_crls_tile_too(at, value):
    damaged = EXAMPLE[:at] + bytes([value]) + EXAMPLE[at + 1 :]
    assert check_tiling(annotated(damaged, Crl.parse, "RFC 5280 5.1"), len(damaged)) == ""


@pytest.mark.parametrize("count", [300, pytest.param(30_000, marks=pytest.mark.full)])
def test_mutated_crls_raise_only_our_errors(count):
    @given(st.data())
    @settings(max_examples=count, deadline=None)
    def check(data):
        mutated = bytearray(EXAMPLE)
        for _ in range(data.draw(st.integers(1, 3))):
            mutated[data.draw(st.integers(0, len(mutated) - 1))] = data.draw(st.integers(0, 255))
        with contextlib.suppress(DecodeError):
            crl = Crl.parse(bytes(mutated))
            assert crl.unknown_critical is None or isinstance(crl.unknown_critical, bytes)

    check()
