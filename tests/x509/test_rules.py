"""Every rule of the table: a chain that violates it and nothing else is refused for it, where the rule is on, and only there."""

import pytest

from puretls.crypto.signatures import SignatureAlgorithm, SignatureKind
from puretls.der import oids, writer
from puretls.der.cursor import read_header
from puretls.errors import UsageError
from puretls.x509 import drafts
from puretls.x509.reports.rules import FIXED, RULES, TABLE, profile
from tests.x509.chains import (
    CA_BASIC,
    HOST,
    NOW,
    PROVIDER,
    SAN,
    SERVER,
    YEAR,
    authority,
    ids,
    key,
    leaf,
    random,
    root,
    verify,
)

ECDSA = drafts.algorithm_identifier(SignatureAlgorithm(SignatureKind.ECDSA, "sha256"))


def nc(permitted=(), excluded=(), *, critical=True, raw=None):
    def subtrees(number, names):
        return writer.explicit(number, *(writer.sequence(name) for name in names)) if names else b""

    value = raw if raw is not None else writer.sequence(subtrees(0, permitted), subtrees(1, excluded))
    return drafts.extension(oids.NAME_CONSTRAINTS, value, critical=critical)


def dns(text):
    return writer.implicit(2, text.encode())


def chain(*, top=None, middle=None, **leaf_changes):
    """Leaf, CA and root, with changes to each; `top` and `middle` are keyword arguments of `root` and `authority`."""
    anchor = root(**(top or {}))
    between = authority(anchor, **(middle or {}))
    return [leaf(between, **leaf_changes), between], [anchor]


UNKNOWN = drafts.extension(oids.encode_oid("1.3.6.1.4.1.55738.666.1"), b"\x05\x00", critical=True)
SHA1 = SignatureAlgorithm(SignatureKind.ECDSA, "sha1")
MALFORMED_DNS = drafts.extension(oids.SUBJECT_ALT_NAME, writer.sequence(dns(HOST), dns("a..example.org")))
UNDERSCORE = drafts.extension(oids.SUBJECT_ALT_NAME, writer.sequence(dns(HOST), dns("a_b.example.org")))
TLD = drafts.extension(oids.SUBJECT_ALT_NAME, writer.sequence(dns(HOST), dns("*.org")))
POLICY = drafts.extension(oids.POLICY_CONSTRAINTS, writer.sequence(writer.implicit(0, b"\x00")), critical=True)
LOOSE_POLICY = drafts.extension(oids.POLICY_CONSTRAINTS, writer.sequence(writer.implicit(0, b"\x05")))


def ca_aki():
    return writer.implicit(0, drafts.key_identifier(key("ca").public))


def bad_signature():
    certificates, anchors = chain()
    der = certificates[0].der
    # r and s of the leaf's signature stay in range, the signed bytes change: another serial number
    at = der.index(writer.integer(certificates[0].draft.serial)) + 5
    return [der[:at] + bytes([der[at] ^ 1]) + der[at + 1 :], certificates[1]], anchors


def mismatched_algorithm():
    certificates, anchors = chain()
    der = certificates[0].der
    inner = drafts.algorithm_identifier(SignatureAlgorithm(SignatureKind.ECDSA, "sha256"))
    other = drafts.algorithm_identifier(SignatureAlgorithm(SignatureKind.ECDSA, "sha384"))
    at = der.rindex(inner)
    return [der[:at] + other + der[at + len(inner) :], certificates[1]], anchors


def _unknown_algorithm():
    certificates, anchors = chain()
    known = drafts.algorithm_identifier(SignatureAlgorithm(SignatureKind.ECDSA, "sha256"))
    unknown = writer.sequence(writer.oid("1.2.840.10045.4.3.9"))
    assert len(known) == len(unknown)
    return [certificates[0].der.replace(known, unknown), certificates[1]], anchors


def _empty_issuer():
    anchor = root("")
    return [leaf(anchor)], [anchor]


def _too_long():
    anchor = root()
    first = authority(anchor, "first", basic=drafts.basic_constraints(True, 0))
    second = authority(first, "second")
    return [leaf(second), second, first], [anchor]


WRITTEN_OUT = drafts.extension(oids.BASIC_CONSTRAINTS, writer.sequence(writer.boolean(False)), critical=True)

VIOLATIONS = {
    "strict-der": lambda: chain(more=(WRITTEN_OUT,)),
    "unknown-issuer": lambda: (chain()[0][:1], [root()]),
    "self-signed": lambda: ([*chain()[0], root()], [root("other root")]),
    "signature": bad_signature,
    "algorithm-mismatch": mismatched_algorithm,
    "signature-algorithm": _unknown_algorithm,
    "sha1": lambda: chain(algorithm=SHA1),
    "public-key": lambda: chain(spki=writer.sequence(writer.sequence(writer.oid("1.2.3.4")), writer.bit_string(b"\x01"))),
    "webpki-key-kind": lambda: chain(own=key("ed", "ed25519")),
    "expired": lambda: chain(not_after=NOW - 1),
    "not-yet-valid": lambda: chain(not_before=NOW + 1),
    "extensions-need-version-3": lambda: chain(version=1),
    "serial-number": lambda: chain(serial=0),
    "empty-issuer": _empty_issuer,
    "empty-subject": lambda: chain(name="", san=b""),
    "empty-subject-ca": lambda: chain(middle={"name": ""}),
    "duplicate-extension": lambda: chain(more=(SERVER,)),
    "unknown-critical-extension": lambda: chain(more=(UNKNOWN,)),
    "must-not-be-critical": lambda: chain(
        without_aki=True, more=(drafts.extension(oids.AUTHORITY_KEY_IDENTIFIER, writer.sequence(ca_aki()), critical=True),)),
    "must-be-critical": lambda: chain(middle={"more": (LOOSE_POLICY,)}),
    "not-a-ca": lambda: chain(middle={"basic": drafts.basic_constraints(False)}),
    "root-basic-constraints": lambda: chain(top={"basic": b""}),
    "version-3-root": lambda: chain(top={"basic": b"", "usage": b"", "without_ski": True, "version": 0}),
    "basic-constraints-critical": lambda: chain(
        middle={"basic": drafts.extension(oids.BASIC_CONSTRAINTS, writer.sequence(writer.boolean(True)))}),
    "path-length": _too_long,
    "path-length-field": lambda: chain(
        more=(drafts.extension(oids.BASIC_CONSTRAINTS, writer.sequence(writer.integer(0)), critical=True),)),
    "key-cert-sign": lambda: chain(middle={"usage": drafts.key_usage(drafts.CRL_SIGN)}),
    "ca-key-usage": lambda: chain(middle={"usage": b""}),
    "subject-key-identifier": lambda: chain(middle={"without_ski": True}),
    "authority-key-identifier": lambda: chain(without_aki=True),
    "authority-key-pair": lambda: chain(
        without_aki=True,
        more=(drafts.extension(oids.AUTHORITY_KEY_IDENTIFIER, writer.sequence(ca_aki(), writer.implicit(2, b"\x05"))),)),
    "key-identifier-match": lambda: chain(without_aki=True, more=(drafts.authority_key_identifier(key("stranger").public),)),
    "root-authority-key": lambda: chain(top={"more": (drafts.authority_key_identifier(key("stranger").public),)}),
    "root-extended-key-usage": lambda: chain(top={"more": (SERVER,)}),
    "key-usage": lambda: chain(usage=drafts.key_usage(1)),
    "key-usage-padding": lambda: chain(usage=drafts.extension(oids.KEY_USAGE, b"\x03\x02\x00\x80", critical=True)),
    "leaf-key-cert-sign": lambda: chain(usage=drafts.key_usage(0, 5)),
    "ca-as-leaf": lambda: chain(more=(CA_BASIC, drafts.subject_key_identifier(key("leaf").public))),
    "extended-key-usage": lambda: chain(eku=drafts.extended_key_usage(oids.CLIENT_AUTH)),
    "ca-extended-key-usage": lambda: chain(middle={"more": (drafts.extended_key_usage(oids.CLIENT_AUTH),)}),
    "webpki-extended-key-usage": lambda: chain(eku=b""),
    "must-staple": lambda: chain(more=(drafts.must_staple(),)),
    "wrong-host": lambda: chain(san=drafts.subject_alt_name(["example.net"])),
    "san-critical": lambda: chain(name=""),
    "san-not-critical": lambda: chain(san=drafts.subject_alt_name([HOST], critical=True)),
    "san-malformed": lambda: chain(san=MALFORMED_DNS),
    "san-syntax": lambda: chain(san=UNDERSCORE),
    "public-suffix-wildcard": lambda: chain(san=TLD),
    "name-constraints": lambda: chain(middle={"more": (nc([dns("example.net")]),)}),
    "name-constraints-unprocessable": lambda: chain(middle={"more": (nc([dns("*.example.org"), dns("example.org")]),)}),
    "name-constraints-critical": lambda: chain(middle={"more": (nc([dns(HOST)], critical=False),)}),
    "name-constraints-form": lambda: chain(middle={"more": (nc(raw=writer.sequence()),)}),
    "policy": lambda: chain(middle={"more": (POLICY,)}),
}  # fmt: skip


UNSEEN_SIGNATURE = {"signature", "signature-algorithm", "algorithm-mismatch"}
"""Where a signature cannot be verified either, so that switching the rule off must not lead to acceptance."""
NEEDS_A_PATH = {"unknown-issuer", "self-signed"}
TESTED_ELSEWHERE = {
    "anchor-purpose", "anchors", "malformed", "presented", "budget", "chain-length", "trusted-leaf", "trusted-leaf-self-signed", "anchor-validity",
    "anchor-constraints", "md5", "rsa-size", "rsa-breakable", "rsa-too-large", "rsa-modulus-octets", "time-encoding", "version-3",
    "unique-identifiers", "empty-key-usage", "explicit-extended-key-usage", "required-extended-key-usage", "sole-extended-key-usage",
    "wrong-name", "requested-key-usage", "san-missing", "revoked", "revocation-unknown", "crl-number", "crl-extensions",
}  # fmt: skip


def test_every_rule_has_a_violation():
    assert VIOLATIONS.keys() | TESTED_ELSEWHERE == RULES.keys()


def test_a_sound_chain_is_accepted_by_every_profile():
    for name in ("default", "strict", "webpki"):
        certificates, anchors = chain()
        report = verify(certificates, anchors, profile=name)
        assert report.accepted, report.explain()
        assert str(report) == "verified: CN=leaf <- CN=ca <- CN=root"


@pytest.mark.parametrize("rule", VIOLATIONS)
def test_a_violation_is_refused_for_its_rule_with_its_alert(rule):
    certificates, anchors = VIOLATIONS[rule]()
    for name in sorted(RULES[rule].profiles):
        report = verify(certificates, anchors, profile=name)
        assert not report.accepted
        assert rule in ids(report), report.explain()
        if ids(report) == {rule}:
            assert report.alert == RULES[rule].alert


@pytest.mark.parametrize("rule", sorted(VIOLATIONS.keys() - UNSEEN_SIGNATURE - NEEDS_A_PATH))
def test_a_rule_switched_off_by_name_no_longer_refuses(rule):
    certificates, anchors = VIOLATIONS[rule]()
    profile_name = min(RULES[rule].profiles, key=["default", "strict", "webpki"].index)
    others = ids(verify(certificates, anchors, profile=profile_name)) - {rule}
    report = verify(certificates, anchors, profile=profile_name, danger_without=[rule, *others])
    assert report.accepted, report.explain()
    assert rule in report.switched_off
    assert rule in report.explain()


@pytest.mark.parametrize("rule", ["signature-algorithm", "algorithm-mismatch"])
def test_no_switch_replaces_a_signature(rule):
    certificates, anchors = VIOLATIONS[rule]()
    assert not verify(certificates, anchors, danger_without=[rule]).accepted


@pytest.mark.parametrize("rule", sorted(FIXED))
def test_what_validation_is_cannot_be_switched_off(rule):
    with pytest.raises(UsageError, match="cannot be switched off"):
        verify([], [], danger_without=[rule])


def test_rules_of_the_default_profile_are_dropped_under_the_name_of_danger_only():
    with pytest.raises(UsageError, match="danger_without"):
        verify([], [], without=["sha1"])
    certificates, anchors = chain(without_aki=True)
    assert verify(certificates, anchors, profile="strict", without=["authority-key-identifier"]).accepted


def test_rules_of_other_profiles_do_not_refuse():
    for rule in (r for r in TABLE if "default" not in r.profiles and r.id in VIOLATIONS):
        certificates, anchors = VIOLATIONS[rule.id]()
        report = verify(certificates, anchors)
        assert rule.id not in ids(report)


def test_a_profile_or_rule_of_another_name_is_a_usage_error():
    with pytest.raises(UsageError, match="there are default, strict and webpki"):
        profile("lax")
    with pytest.raises(UsageError, match="no rule 'expire'"):
        profile("default", without=["expire"])


def test_strict_holds_all_of_default_and_webpki_all_of_strict_but_what_the_forum_relaxes():
    assert profile("default") < profile("strict")
    assert profile("strict") - profile("webpki") == {"name-constraints-critical"}


def test_an_anchor_can_be_name_and_key_alone():
    """RFC 5280 6.1.1 (d): what else a root says binds only where that is asked for."""
    certificates, anchors = chain(top={"not_after": NOW - 1, "more": (nc([dns("example.net")]),)})
    assert {"expired", "name-constraints"} <= ids(verify(certificates, anchors))
    assert verify(certificates, anchors, danger_without=["anchor-validity", "anchor-constraints"]).accepted


def test_a_leaf_that_is_an_anchor_is_trusted_except_where_the_rules_forbid():
    anchor = root()
    own = leaf(anchor)
    assert verify([own], [own]).path == (own.certificate,)
    assert ids(verify([own], [own], profile="strict")) == {"unknown-issuer"}
    assert not verify([own], [own], extra=["trusted-leaf-self-signed"]).accepted
    assert "expired" in ids(verify([own], [own], time=NOW + 2 * YEAR))


def test_purposes_can_be_asked_for_to_the_letter():
    any_purpose = drafts.extended_key_usage(oids.ANY_EXTENDED_KEY_USAGE)
    certificates, anchors = chain(eku=any_purpose)
    assert verify(certificates, anchors).accepted
    assert ids(verify(certificates, anchors, extra=["explicit-extended-key-usage"])) == {"explicit-extended-key-usage"}
    certificates, anchors = chain(eku=drafts.extended_key_usage(oids.SERVER_AUTH, oids.CLIENT_AUTH))
    assert ids(verify(certificates, anchors, extra=["sole-extended-key-usage"])) == {"sole-extended-key-usage"}
    assert ids(verify(certificates, anchors, extra=["required-extended-key-usage"])) == {"required-extended-key-usage"}


def test_every_row_says_what_why_and_how_to_mend():
    for rule in TABLE:
        assert rule.section
        assert rule.sentence
        assert rule.mend
        assert rule.id == rule.id.lower()


def test_v1_leaves_and_missing_names_offend_the_forum_only():
    certificates, anchors = chain(version=0, usage=b"", eku=b"", san=b"", without_aki=True)
    assert {"version-3", "san-missing"} <= ids(verify(certificates, anchors, host=None, profile="webpki"))
    assert verify(certificates, anchors, host=None).accepted


def test_an_empty_key_usage_is_refused_strictly():
    certificates, anchors = chain(usage=drafts.key_usage())
    assert ids(verify(certificates, anchors, profile="strict")) == {"empty-key-usage"}


def test_dates_through_2049_are_utc_time():
    certificates, anchors = chain()
    draft = certificates[0].draft
    late = writer.sequence(writer.generalized_time(draft.not_before), writer.time(draft.not_after))
    usual = writer.sequence(writer.time(draft.not_before), writer.time(draft.not_after))
    _, start, stop = read_header(draft.tbs(ECDSA), 0, len(draft.tbs(ECDSA)))
    tbs = writer.sequence(draft.tbs(ECDSA)[start:stop].replace(usual, late))
    forged = drafts.Signer(key("ca"), random, PROVIDER).seal(tbs)
    assert ids(verify([forged, certificates[1]], anchors, profile="strict")) == {"time-encoding"}
    assert verify([forged, certificates[1]], anchors).accepted


def test_spki_of_the_leaf_may_be_of_every_supported_kind():
    for kind in ("secp256r1", "secp384r1", "secp521r1", "ed25519", "ed448"):
        certificates, anchors = chain(own=key(kind, kind))
        assert verify(certificates, anchors, profile="strict").accepted


@pytest.mark.parametrize("profile_name", ["default", "strict"])
def test_a_ca_in_the_place_of_a_leaf_is_no_matter_of_rfc_5280(profile_name):
    """4.2.1.9: the last certificate of a path may be a CA, and its pathLenConstraint and the limits above do not count for it."""
    anchor = root()
    above = authority(anchor, basic=drafts.basic_constraints(True, 0))
    last = authority(above, "last", basic=drafts.basic_constraints(True, 0), more=(SAN,))
    assert verify([last, above], [anchor], profile=profile_name).accepted
    assert {"ca-as-leaf", "key-usage"} <= ids(verify([last, above], [anchor], profile="webpki"))


def test_common_names_do_not_count():
    certificates, anchors = chain(san=b"", name=HOST)
    report = verify(certificates, anchors)
    assert ids(report) == {"wrong-host"}
    assert "commonName does not count" in str(report)
