"""What a connection asks of a verifier, and what comes back."""

import json
from importlib.resources import files

import pytest

from puretls.der import oids, writer
from puretls.errors import UsageError
from puretls.iana import AlertDescription
from puretls.x509 import drafts
from puretls.x509.hostname import parse_ip
from puretls.x509.names.general import GeneralName, GeneralNameKind
from puretls.x509.path.budgets import Budgets
from puretls.x509.path.policy import PolicyInputs
from puretls.x509.path.trust import TrustStore
from puretls.x509.reports.rules import TABLE
from puretls.x509.verifier import ChainRequest, chain_verifier, pinned_verifier
from tests.x509.chains import HOST, NOW, PROVIDER, authority, ids, key, leaf, root, verify
from tests.x509.messages import reports

TOP = root()
MIDDLE = authority(TOP)
END = leaf(MIDDLE)


def request(*chain, purpose="server", host=HOST, time=NOW):
    return ChainRequest(tuple(chain), purpose, host, time)


def test_without_anchors_everything_is_refused():
    report = chain_verifier((), provider=PROVIDER)(request(END.der, MIDDLE.der, TOP.der))
    assert (report.accepted, report.alert, ids(report)) == (False, AlertDescription.UNKNOWN_CA, {"anchors"})


def test_an_empty_or_unreadable_chain_is_a_refusal_and_no_exception():
    verifier = chain_verifier([TOP.der], provider=PROVIDER)
    assert ids(verifier(request())) == {"presented"}
    for garbage in (b"", b"\x30", END.der[:-1], b"\x00" * 1000):
        report = verifier(request(garbage))
        assert ids(report) == {"malformed"}
        assert report.alert == AlertDescription.BAD_CERTIFICATE
        assert report.explain()


def test_an_unreadable_intermediate_is_told_about_only_where_it_is_missed():
    assert verify([END, MIDDLE, b"garbage"], [TOP]).accepted
    report = verify([END, MIDDLE.der[:-1]], [TOP])
    assert ids(report) == {"unknown-issuer", "malformed"}
    assert "presented certificate 1" in report.explain()


def test_order_and_surplus_of_presented_certificates_do_not_matter():
    other = root("other")
    assert verify([END, TOP, authority(other, "stray"), MIDDLE, other], [TOP]).path == tuple(
        made.certificate for made in (END, MIDDLE, TOP)
    )


@pytest.mark.parametrize("host", ["", "a b", "-x.example.org", "x..y", "ex_ample!.org", "a" * 64 + ".org", "x" * 5000, "fe80::1%1"])
def test_a_name_that_is_none_is_refused(host):
    assert ids(verify([END, MIDDLE], [TOP], host=host)) == {"wrong-host"}


def test_names_of_every_form():
    names = ["example.org", "*.example.org", "xn--bcher-kva.example", "192.0.2.7", "2001:db8::7"]
    end = leaf(MIDDLE, san=drafts.subject_alt_name(names))
    for host in ("example.org", "EXAMPLE.ORG.", "a.example.org", "bücher.example", "BÜCHER.example", "192.0.2.7", "2001:DB8::7", "[2001:db8::7]"):
        assert verify([end, MIDDLE], [TOP], host=host).accepted, host
    for host in ("a.b.example.org", "192.0.2.8", "2001:db8::8", "bucher.example", "192.0.2.07"):
        assert ids(verify([end, MIDDLE], [TOP], host=host)) == {"wrong-host"}, host


def test_clients_are_verified_by_purpose_and_without_a_host():
    client = leaf(MIDDLE, eku=drafts.extended_key_usage(oids.CLIENT_AUTH), san=drafts.subject_alt_name(["user@example.org"]))
    assert verify([client, MIDDLE], [TOP], purpose="client", host=None).accepted
    assert ids(verify([client, MIDDLE], [TOP], host=None)) == {"extended-key-usage"}
    assert ids(verify([END, MIDDLE], [TOP], purpose="client", host=None)) == {"extended-key-usage"}


def test_all_names_expected_of_a_client_must_be_there():
    client = leaf(MIDDLE, eku=b"", san=drafts.subject_alt_name(["User@Example.org", "spiffe://example.org/job", "192.0.2.9"]))
    wanted = [
        GeneralName(GeneralNameKind.RFC822, "User@example.ORG"),
        GeneralName(GeneralNameKind.URI, "spiffe://example.org/job"),
        GeneralName(GeneralNameKind.IP, parse_ip("192.0.2.9")),
    ]
    assert verify([client, MIDDLE], [TOP], purpose="client", host=None, fields={"names": tuple(wanted)}).accepted
    for name in (GeneralName(GeneralNameKind.RFC822, "user@example.org"), GeneralName(GeneralNameKind.DNS, "example.org")):
        report = verify([client, MIDDLE], [TOP], purpose="client", host=None, fields={"names": (*wanted, name)})
        assert ids(report) == {"wrong-name"}


def test_another_purpose_is_a_usage_error():
    with pytest.raises(UsageError, match="server or client"):
        chain_verifier([TOP.der], provider=PROVIDER)(request(END.der, purpose="mail"))


def test_more_can_be_asked_of_key_usage_and_length():
    assert ids(verify([END, MIDDLE], [TOP], fields={"key_usage": frozenset({2})})) == {"requested-key-usage"}
    assert ids(verify([END, MIDDLE], [TOP], fields={"max_intermediates": 0})) == {"chain-length"}
    assert verify([leaf(TOP)], [TOP], fields={"max_intermediates": 0}).accepted


def test_a_bad_path_does_not_keep_a_good_one_from_being_found():
    """The same intermediate, once expired and once not; once from a root that is unknown."""
    expired = authority(TOP, "ca", not_after=NOW - 1)
    foreign = authority(root("elsewhere"), "ca")
    for order in ([expired, foreign, MIDDLE], [MIDDLE, foreign, expired]):
        report = verify([END, *order], [TOP])
        assert report.path[1] == MIDDLE.certificate


def test_the_path_that_got_furthest_is_the_one_explained():
    expired = authority(TOP, "ca", not_after=NOW - 1)
    foreign = authority(root("elsewhere"), "ca")
    report = verify([END, foreign, expired], [TOP])
    assert ids(report) == {"expired"}
    assert report.findings[0].index == 1
    assert report.path[-1] == TOP.certificate
    assert {tried.findings[0].id for tried in report.tried} == {"expired", "unknown-issuer"}
    assert "also tried:" in report.explain()


def test_findings_point_at_the_bytes():
    report = verify([leaf(MIDDLE, not_after=NOW - 1), MIDDLE], [TOP])
    finding = report.findings[0]
    start, end = finding.byte_range
    assert finding.certificate.raw[start:end] == writer.time(NOW - 1)
    assert (finding.subject, finding.rule.section) == ("CN=leaf", "RFC 5280 4.1.2.5")


def test_a_report_is_readable_for_machines():
    accepted = json.loads(json.dumps(verify([END, MIDDLE], [TOP]).as_dict()))
    assert accepted["accepted"]
    assert accepted["alert"] is None
    assert accepted["path"] == [made.certificate.fingerprint.hex() for made in (END, MIDDLE, TOP)]
    refused = json.loads(json.dumps(verify([leaf(MIDDLE, not_after=NOW - 1), MIDDLE], [TOP]).as_dict()))
    finding = refused["findings"][0]
    assert (refused["alert"], finding["rule"], finding["certificate"], finding["section"]) == (
        "certificate_expired", "expired", 0, "RFC 5280 4.1.2.5")  # fmt: skip
    assert len(finding["bytes"]) == 2
    assert refused["tried"][0]["rules"] == ["expired"]


def test_what_is_remembered_is_bounded():
    verifier = chain_verifier([TOP.der], provider=PROVIDER)
    assert verifier(request(END.der, MIDDLE.der)).signatures == 2
    assert verifier(request(END.der, MIDDLE.der)).signatures == 0
    assert ids(verifier(request(END.der, MIDDLE.der, time=NOW + 10**9))) == {"expired"}
    for number in range(2000):
        verifier.caches.signatures.put(number, True)
    assert 0 < len(verifier.caches.signatures) <= verifier.caches.signatures.size


def test_missing_issuers_are_fetched_only_when_needed_and_only_so_often():
    asked = []

    def fetch(certificate):
        asked.append(certificate)
        return [b"garbage", MIDDLE.der]

    assert verify([END, MIDDLE], [TOP], fetch_issuers=fetch).accepted
    assert asked == []
    assert verify([END], [TOP], fetch_issuers=fetch).accepted
    assert asked == [END.certificate]

    counter = iter(range(1000))

    def endless(certificate):
        """Each time a new issuer of the name asked for, issued by another unknown."""
        number = next(counter)
        above = root(f"nobody {number}", label="nobody")
        return [authority(above, "x", label="nobody", subject=certificate.issuer.raw).der]

    report = verify([END], [TOP], fetch_issuers=endless)
    assert not report.accepted
    assert next(counter) <= 9


def test_must_staple_wants_a_response():
    end = leaf(MIDDLE, more=(drafts.must_staple(),))
    report = verify([end, MIDDLE], [TOP])
    assert ids(report) == {"must-staple"}
    assert report.alert == AlertDescription.BAD_CERTIFICATE_STATUS_RESPONSE


def test_explicit_policies_are_required_on_demand():
    policy = oids.encode_oid("1.3.6.1.4.1.55738.7")
    listed = drafts.extension(oids.CERTIFICATE_POLICIES, writer.sequence(writer.sequence(writer.oid(policy))))
    middle = authority(TOP, more=(listed,))
    chain = [leaf(middle, more=(listed,)), middle]
    demanding = PolicyInputs(frozenset({policy}), require_explicit_policy=True)
    assert verify(chain, [TOP], policies=demanding).accepted
    assert ids(verify([END, MIDDLE], [TOP], policies=demanding)) == {"policy"}
    other = PolicyInputs(frozenset({oids.encode_oid("1.2.3")}), require_explicit_policy=True)
    assert ids(verify(chain, [TOP], policies=other)) == {"policy"}


def test_names_compare_after_normalisation():
    """RFC 5280 7.1: case and white space do not distinguish, nor do the string types."""
    shouting = drafts.name((oids.COMMON_NAME, "  ROOT  "))
    end = leaf(TOP, issuer=shouting)
    assert verify([end], [TOP]).accepted


def test_a_store_parses_what_it_is_asked_for_and_no_more():
    store = TrustStore([TOP.der, b"no certificate", *(root(f"root {n}", label="many").der for n in range(20))])
    assert (len(store), store.skipped) == (21, 1)
    assert [c.raw for c in store.by_subject(END.certificate.issuer)] == []
    assert [c.raw for c in store.by_equal_subject(END.certificate.issuer)] == []
    assert [c.raw for c in store.by_subject(MIDDLE.certificate.issuer)] == [TOP.der]
    parsed = [entry for entries in store._by_subject.values() for entry in entries if not isinstance(entry, bytes)]
    assert [c.raw for c in parsed] == [TOP.der]
    verifier = chain_verifier([store], provider=PROVIDER)
    assert verifier.store is store


def test_pins_accept_exactly_one_certificate_or_key():
    alone = root("self", own=key("self"))
    by_certificate = pinned_verifier([alone.certificate.fingerprint])
    by_key = pinned_verifier([alone.certificate.spki_pin])
    renewed = root("self", own=key("self"), not_after=NOW - 1)
    assert by_certificate(request(alone.der)).accepted
    assert not by_certificate(request(renewed.der)).accepted
    assert by_key(request(renewed.der)).accepted
    refused = by_key(request(END.der))
    assert refused.alert == AlertDescription.UNKNOWN_CA
    assert END.certificate.spki_pin_text in str(refused)
    assert not by_key(request()).accepted
    assert not by_key(request(b"garbage")).accepted
    with pytest.raises(UsageError, match="32 bytes"):
        pinned_verifier([b"short"])


def test_unknown_rule_names_are_usage_errors():
    with pytest.raises(UsageError, match="no rule"):
        chain_verifier([TOP.der], provider=PROVIDER, extra=["nonsense"])


def test_budgets_are_part_of_the_report():
    report = verify([END, MIDDLE], [TOP], budgets=Budgets(signatures=1))
    assert ids(report) == {"budget"}
    assert "more than 1 signatures" in str(report)


# What people read

EXPECTED = {
    "expired": ("expired", AlertDescription.CERTIFICATE_EXPIRED, 0),
    "not yet valid": ("not-yet-valid", AlertDescription.CERTIFICATE_EXPIRED, 0),
    "wrong host": ("wrong-host", AlertDescription.BAD_CERTIFICATE, 0),
    "unknown issuer": ("unknown-issuer", AlertDescription.UNKNOWN_CA, 1),
    "self-signed": ("self-signed", AlertDescription.UNKNOWN_CA, 0),
    "missing intermediate": ("unknown-issuer", AlertDescription.UNKNOWN_CA, 0),
    "not a CA": ("not-a-ca", AlertDescription.BAD_CERTIFICATE, 1),
    "wrong purpose": ("extended-key-usage", AlertDescription.UNSUPPORTED_CERTIFICATE, 0),
    "revoked": ("revoked", AlertDescription.CERTIFICATE_REVOKED, 0),
}


def test_the_common_refusals_name_rule_alert_and_certificate():
    made = reports()
    assert {label: (r.findings[0].id, r.alert, r.findings[0].index) for label, r in made.items()} == EXPECTED
    assert all("\n" not in str(report) and len(str(report)) < 250 for report in made.values())


def test_a_missing_issuer_is_looked_up_where_the_certificate_says_it_is():
    assert "it should be at http://ca.example.org/issuing.cer" in str(reports()["missing intermediate"])


def test_the_manual_lists_every_rule():
    manual = (files("puretls") / "manual" / "x509.md").read_text(encoding="utf-8")
    for rule in TABLE:
        letters = " ".join(letter for letter, name in zip("DSW", ("default", "strict", "webpki"), strict=True) if name in rule.profiles)
        assert f"| `{rule.id}` | {letters or '-'} | {rule.sentence} | {rule.section} |" in manual
