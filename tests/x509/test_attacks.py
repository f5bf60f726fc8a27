"""Known attacks on certificate validation, each with the defence and, where work is the weapon, with the work counted."""

import hashlib
import itertools

import pytest

from puretls.crypto.keys import RsaPublicKey
from puretls.crypto.signatures import SignatureAlgorithm, SignatureKind
from puretls.der import oids, writer
from puretls.errors import DecodeError
from puretls.x509 import drafts
from puretls.x509.certificates.certificate import Certificate
from puretls.x509.certificates.reading import MAX_CERTIFICATE
from puretls.x509.hostname import matches, parse_reference
from puretls.x509.names.general import GeneralName, GeneralNameKind
from puretls.x509.path.budgets import Budgets
from puretls.x509.path.checks import static_faults
from puretls.x509.path.examine import MAX_FAULTS, SHOWN_NAMES
from puretls.x509.path.place import Role
from tests.x509.chains import (
    HOST,
    SERVER,
    authority,
    common_name,
    ids,
    key,
    leaf,
    make,
    root,
    verify,
)

LIMITS = Budgets()


def san(*names):
    return drafts.extension(oids.SUBJECT_ALT_NAME, writer.sequence(*names))


def dns(text):
    return writer.implicit(2, text if isinstance(text, bytes) else text.encode())


def name_constraints(permitted=(), excluded=()):
    parts = [writer.explicit(i, *(writer.sequence(n) for n in names)) for i, names in enumerate((permitted, excluded)) if names]
    return drafts.extension(oids.NAME_CONSTRAINTS, writer.sequence(*parts), critical=True)


# Path building explosion: CVE-2018-16875, RUSTSEC-2023-0052


@pytest.mark.parametrize("same_key", [True, False])
def test_a_hundred_issuers_of_one_name_cost_a_bounded_search(same_key):
    top = root("unknown root")
    crowd = [authority(top, "crowd", own=key("crowd" if same_key else f"crowd {n % 7}")) for n in range(60)]
    looped = [make("crowd", common_name("crowd"), key(f"crowd {n % 7}"), key(f"crowd {n % 5}"), made.draft.extensions)
              for n, made in enumerate(crowd)]  # fmt: skip
    report = verify([leaf(looped[0]), *looped, *crowd], [root("trusted")])
    assert not report.accepted
    assert report.steps <= LIMITS.steps + 1
    assert report.signatures <= LIMITS.signatures


def test_an_exhausted_budget_ends_the_search_for_good():
    """What an attacker makes expensive is refused, not tried in another way."""
    anchor = root()
    crowd = [authority(anchor, "crowd", own=key(f"crowd {n}")) for n in range(6)]
    good = leaf(crowd[-1], without_aki=True)
    assert verify([good, *crowd], [anchor]).accepted
    report = verify([good, *crowd], [anchor], budgets=Budgets(steps=3))
    assert ids(report) == {"budget"}
    report = verify([good, *crowd], [anchor], budgets=Budgets(signatures=2))
    assert ids(report) == {"budget"}


def test_cross_signed_cycles_end():
    """CVE-2024-0567: A, B and C sign each other; A is a root as well."""
    a, b, c = (root(x) for x in "ABC")
    cross = [make(x.draft.subject and name, above.name, x.key, above.key, x.draft.extensions)
             for (name, x), above in itertools.product(zip("ABC", (a, b, c), strict=True), (a, b, c)) if x is not above]  # fmt: skip
    end = leaf(a)
    assert verify([end, *cross], [a]).accepted
    assert verify([end, *cross], [c]).accepted
    report = verify([end, *cross], [root("other")])
    assert not report.accepted
    assert report.steps < 200


def test_more_certificates_or_bytes_than_make_sense_are_refused_unread():
    anchor = root()
    end = leaf(anchor)
    assert ids(verify([end] * (LIMITS.presented + 1), [anchor])) == {"presented"}
    assert ids(verify([end, b"\x30" * (LIMITS.presented_bytes + 1)], [anchor])) == {"presented"}
    with pytest.raises(DecodeError, match="more than"):
        Certificate.parse(b"\x30" * (MAX_CERTIFICATE + 1))


# Long chain: CVE-2024-28835


def test_a_long_chain_is_refused_without_recursion():
    chain = [root("link 0", label="link")]
    for number in range(1, 100):
        chain.append(authority(chain[-1], f"link {number}", own=key(f"link {number % 3}")))
    report = verify([leaf(chain[-1]), *reversed(chain[1:])], [chain[0]])
    assert ids(report) == {"chain-length"}
    deep = Budgets(intermediates=120)
    assert verify([leaf(chain[-1]), *reversed(chain[1:])], [chain[0]], budgets=deep).accepted
    assert "path-length" not in ids(report)


# Quadratic name constraints: CVE-2025-58187


def test_constraints_times_names_beyond_the_budget_are_refused_before_comparing():
    anchor = root()
    above = authority(anchor, more=(name_constraints([dns(f"p{n}.test") for n in range(1025)]),))
    end = leaf(above, san=san(*(dns(f"p{n}.test") for n in range(1024)), dns(HOST)))
    report = verify([end, above], [anchor])
    assert ids(report) == {"budget"}
    assert report.findings[0].index == 0
    assert report.signatures == 0


def test_constraints_below_the_budget_cost_a_look_up_each():
    anchor = root()
    above = authority(anchor, more=(name_constraints([dns(f"p{n}.test") for n in range(1000)], [dns("x.test")]),))
    end = leaf(above, san=san(*(dns(f"p{n}.test") for n in range(1000))))
    assert verify([end, above], [anchor], host="p7.test").accepted


# Wildcards and constraints: CVE-2025-61727, RUSTSEC-2026-0099


@pytest.mark.parametrize(
    ("permitted", "excluded", "name", "fine"),
    [
        (["example.org"], [], "*.example.org", True),
        (["a.example.org"], [], "*.example.org", False),  # b.example.org is not inside
        ([], ["a.example.org"], "*.example.org", False),  # a.example.org is what it can stand for
        ([], ["b.a.example.org"], "*.example.org", True),  # one label is what it stands for
        ([], ["example.org"], "*.example.org", False),
        ([], ["org"], "*.example.org", False),
        ([".example.org"], [], "*.example.org", True),
        ([".example.org"], [], "example.org", False),
        ([], ["A.EXAMPLE.org"], "*.example.org", False),
        (["example.org"], [], "badexample.org", False),
    ],
)
def test_a_wildcard_is_permitted_whole_and_excluded_in_part(permitted, excluded, name, fine):
    anchor = root()
    above = authority(anchor, more=(name_constraints([dns(n) for n in permitted], [dns(n) for n in excluded]),))
    report = verify([leaf(above, san=san(dns(name))), above], [anchor], host=None)
    assert report.accepted is fine
    assert ids(report) <= {"name-constraints"}


# Constraint types that nobody enforces: RUSTSEC-2026-0098, CVE-2026-9648

URI = writer.implicit(6, b"https://host.example.org/x")
OTHER = writer.explicit(0, writer.oid("1.2.3.4"), writer.explicit(0, writer.utf8_string("x")))


@pytest.mark.parametrize(
    ("constraint", "name", "rule"),
    [
        (writer.implicit(6, b"example.net"), URI, "name-constraints"),
        (writer.implicit(6, b".example.org"), URI, ""),
        (writer.implicit(6, b"host.example.org"), URI, ""),
        (writer.implicit(6, b"example.org"), URI, "name-constraints"),  # a host without a dot is that host alone
        (writer.implicit(6, b".example.org"), writer.implicit(6, b"urn:x"), "name-constraints-unprocessable"),
        (writer.implicit(6, b".example.org"), writer.implicit(6, b"https://192.0.2.1/"), "name-constraints-unprocessable"),
        (OTHER, OTHER, "name-constraints-unprocessable"),
        (writer.implicit(8, b"\x2a\x03"), writer.implicit(8, b"\x2a\x03"), "name-constraints-unprocessable"),
    ],
)
def test_uris_are_constrained_and_unsupported_kinds_refused(constraint, name, rule):
    anchor = root()
    above = authority(anchor, more=(name_constraints([constraint]),))
    report = verify([leaf(above, san=san(dns(HOST), name)), above], [anchor])
    assert ids(report) == ({rule} if rule else set())


# Host names and error text: CVE-2026-27145, CVE-2025-61729


def test_error_text_does_not_grow_with_the_certificate():
    anchor = root()
    end = leaf(anchor, san=san(*(dns(f"host{n}.example.net") for n in range(2000))))
    report = verify([end], [anchor])
    assert ids(report) == {"wrong-host"}
    assert f"and {2000 - SHOWN_NAMES} more" in str(report)
    assert len(str(report)) < 600
    assert len(report.explain()) < 4000


def test_a_certificate_with_thousands_of_faults_makes_a_short_report():
    anchor = root()
    above = authority(anchor, more=(name_constraints([dns("example.net")]),))
    report = verify([leaf(above, san=san(*(dns(f"a_{n}.example.org") for n in range(3000)))), above], [anchor], profile="strict", host=None)
    assert not report.accepted
    assert len(report.findings) <= MAX_FAULTS
    assert len(report.explain()) < 12_000
    assert "more findings" in report.explain()


def test_a_hostile_subject_is_cut_and_shows_no_control_characters():
    anchor = root()
    end = leaf(anchor, name="a\x1b[2J\u202e\n" + "x" * 100_000)
    text = verify([end], [anchor], host="example.net").explain()
    assert len(text) < 5000
    assert not set("\x1b\u202e") & set(text)


# Names that crash: CVE-2026-27138


@pytest.mark.parametrize("text", ["", ".", "..", ".example.org", "a..b", "*", "*.", "a" * 64 + ".org", "x." * 130 + "org", "-a.org"])
def test_malformed_dns_names_are_refused_and_crash_nothing(text):
    anchor = root()
    above = authority(anchor, more=(name_constraints([dns("example.org")]),))
    for issuer, rest in ((anchor, []), (above, [above])):
        report = verify([leaf(issuer, san=san(dns(HOST), dns(text))), *rest], [anchor])
        assert "san-malformed" in ids(report)


# Policies: CVE-2023-0464


def test_policy_mappings_grow_a_graph_and_not_a_tree():
    policies = [f"1.3.6.1.4.1.55738.1.{n}" for n in range(40)]
    listed = drafts.extension(oids.CERTIFICATE_POLICIES, writer.sequence(*(writer.sequence(writer.oid(p)) for p in policies)))
    mapped = drafts.extension(
        oids.POLICY_MAPPINGS,
        writer.sequence(*(writer.sequence(writer.oid(a), writer.oid(b)) for a in policies[:20] for b in policies[:20])), critical=True,
    )  # fmt: skip
    chain = [root()]
    for number in range(12):
        chain.append(authority(chain[-1], f"policy {number}", more=(listed, mapped)))
    end = leaf(chain[-1], more=(listed,))
    report = verify([end, *reversed(chain[1:])], [chain[0]])  # as a tree: 20^12 nodes
    assert report.accepted


# RSA: CVE-2023-29409


def rsa_spki(n, e):
    body = writer.sequence(writer.integer(n), writer.integer(e))
    return writer.sequence(writer.sequence(writer.oid(oids.RSA_ENCRYPTION), writer.null()), writer.bit_string(body))


@pytest.mark.parametrize(
    ("bits", "e", "rule"),
    [
        (2048, 65537, None),
        (8192, 3, None),
        (1024, 65537, "rsa-size"),
        (512, 65537, "rsa-breakable"),
        (8200, 65537, "rsa-too-large"),
        (20_000, 65537, "public-key"),
        (100_000, 65537, "public-key"),
        (2048, 2**33 + 1, "rsa-too-large"),
        (2048, 1, "public-key"),
        (2048, 65536, "public-key"),
    ],
)
def test_hostile_rsa_keys_are_refused_before_any_arithmetic(bits, e, rule):
    n = (1 << bits) - 1
    anchor = root()
    made = leaf(anchor, spki=rsa_spki(n, e))
    faults = {fault.rule for fault in static_faults(made.certificate, Role.LEAF)} & {
        "rsa-size", "rsa-breakable", "rsa-too-large", "public-key"}  # fmt: skip
    assert (rule in faults) if rule else not faults
    if rule is None:
        assert isinstance(made.certificate.public_key, RsaPublicKey)
    if rule:
        hostile = authority(anchor, "hostile", spki=rsa_spki(n, e))
        report = verify([make("x", hostile.name, key("leaf"), anchor.key, ()), hostile], [anchor])
        assert rule in ids(report)
        assert report.signatures <= 1  # that of the CA, which is not with the hostile key


def test_an_odd_modulus_is_a_must():
    made = leaf(root(), spki=rsa_spki((1 << 2047) + 2, 65537))
    assert "public-key" in {fault.rule for fault in static_faults(made.certificate, Role.LEAF)}


# Lax PKCS #1 v1.5: CVE-2006-4339, CVE-2014-1568


@pytest.mark.parametrize("digest_info", ["3031300d060960864801650304020105000420", "302f300b0609608648016503040201" + "0420"])
def test_a_signature_forged_by_a_cube_root_is_refused(digest_info):
    """With e = 3, whoever lets bytes follow the hash takes the cube root of a number of his choice for a signature."""
    n = (1 << 2047) + 1
    anchor = root("cube", own=key("cube"), spki=rsa_spki(n, 3))
    forged = leaf(root("cube", own=key("cube"))).draft
    algorithm = drafts.algorithm_identifier(SignatureAlgorithm(SignatureKind.RSA_PKCS1, "sha256"))
    tbs = forged.tbs(algorithm)
    start = b"\x00\x01" + b"\xff" * 8 + b"\x00" + bytes.fromhex(digest_info) + hashlib.sha256(tbs).digest()
    target = int.from_bytes(start + bytes(256 - len(start)))
    signature = cube_root(target) + 1
    assert (signature**3).to_bytes(256).startswith(start)
    der = writer.sequence(tbs, algorithm, writer.bit_string(signature.to_bytes(256)))
    assert ids(verify([der], [anchor])) == {"signature"}


def cube_root(n):
    low, high = 0, 1 << (n.bit_length() // 3 + 2)
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if middle**3 <= n else (low, middle - 1)
    return low


# Curves: CVE-2020-0601, CVE-2022-0778, CVE-2026-26007


def test_explicit_curve_parameters_are_refused():
    prime = writer.sequence(writer.oid("1.2.840.10045.1.1"), writer.integer(2**256 - 2**224 + 2**192 + 2**96 - 1))
    parameters = writer.sequence(writer.integer(1), prime, writer.sequence(), writer.octet_string(b"\x04"), writer.integer(3))
    spki = writer.sequence(writer.sequence(writer.oid(oids.EC_PUBLIC_KEY), parameters), writer.bit_string(b"\x04" + bytes(64)))
    assert ids(verify([leaf(root(), spki=spki)], [root()])) >= {"public-key"}


@pytest.mark.parametrize("curve", [oids.SECP192R1, oids.SECP224R1, oids.SECP256K1])
def test_other_curves_are_refused(curve):
    spki = writer.sequence(writer.sequence(writer.oid(oids.EC_PUBLIC_KEY), writer.oid(curve)), writer.bit_string(b"\x04" + bytes(64)))
    anchor = root()
    assert ids(verify([leaf(anchor, spki=spki)], [anchor])) == {"public-key"}


def test_a_point_off_the_curve_is_refused():
    point = b"\x04" + bytes(31) + b"\x01" + bytes(31) + b"\x01"
    parameters = writer.sequence(writer.oid(oids.EC_PUBLIC_KEY), writer.oid(oids.SECP256R1))
    anchor = root()
    assert ids(verify([leaf(anchor, spki=writer.sequence(parameters, writer.bit_string(point)))], [anchor])) == {"public-key"}


# OID bombs: CVE-2023-2650


def test_an_identifier_of_any_size_is_refused_by_its_length():
    bomb = writer.tlv(6, b"\x2a" + b"\xff" * 100_000 + b"\x01")
    data = make("x", common_name("y"), key("leaf"), key("leaf"), (writer.sequence(bomb, writer.octet_string(b"")),)).der
    with pytest.raises(DecodeError, match="oversized OBJECT IDENTIFIER"):
        Certificate.parse(data)


# Parsers in general


def test_deep_nesting_ends_where_the_schema_does():
    data = b""
    for _ in range(10_000):
        data = writer.sequence(data)
    with pytest.raises(DecodeError):
        Certificate.parse(data)


# Names that are not what they seem: CVE-2009-2408


@pytest.mark.parametrize("name", [b"example.org\x00.evil.net", b"ex\xe4mple.org", b"example.org\n", b"\xff\xfe"])
def test_a_name_that_is_not_printable_ascii_makes_the_certificate_unreadable(name):
    data = leaf(root(), san=san(dns(name))).der
    with pytest.raises(DecodeError, match=r"control characters|not ASCII"):
        Certificate.parse(data)


def test_a_final_dot_in_a_presented_name_matches_nothing():
    name = GeneralName(GeneralNameKind.DNS, "example.org.")
    assert not matches(parse_reference("example.org"), name)
    assert not matches(parse_reference("example.org."), name)
    assert matches(parse_reference("example.org."), GeneralName(GeneralNameKind.DNS, "example.org"))


# Wildcards


@pytest.mark.parametrize(
    ("presented", "host", "fine"),
    [
        ("*.example.org", "a.example.org", True),
        ("*.example.org", "example.org", False),
        ("*.example.org", "a.b.example.org", False),
        ("*.org", "example.org", False),
        ("*", "example", False),
        ("*", "example.org", False),
        ("f*.example.org", "foo.example.org", False),
        ("*o.example.org", "foo.example.org", False),
        ("*.*.org", "a.b.org", False),
        ("a.*.org", "a.b.org", False),
        ("xn--*-1b3c148a.example.org", "xn--bliss-1b3c148a.example.org", False),
        ("*.0.2.1", "192.0.2.1", False),
        ("192.0.2.1", "192.0.2.1", False),
        ("EXAMPLE.org", "example.ORG", True),
    ],
)
@pytest.mark.rfc("9525", "6.3")
def test_wildcards_stand_for_one_whole_label(presented, host, fine):
    assert matches(parse_reference(host), GeneralName(GeneralNameKind.DNS, presented)) is fine


# Extensions


def test_unknown_critical_and_duplicate_extensions_are_refused():
    anchor = root()
    unknown = drafts.extension(oids.encode_oid("1.2.3.4"), b"\x05\x00", critical=True)
    assert ids(verify([leaf(anchor, more=(unknown,))], [anchor])) == {"unknown-critical-extension"}
    assert ids(verify([leaf(anchor, more=(SERVER,))], [anchor])) == {"duplicate-extension"}
    feature = drafts.extension(oids.TLS_FEATURE, writer.sequence(writer.integer(5), writer.integer(17)), critical=True)
    assert "unknown-critical-extension" in ids(verify([leaf(anchor, more=(feature,))], [anchor], ocsp_response=b""))
    assert verify([leaf(anchor, more=(unknown,))], [anchor], handled_extensions=[oids.encode_oid("1.2.3.4")]).accepted


# Who may issue: CVE-2021-3450


@pytest.mark.parametrize(
    ("changes", "rule"),
    [
        ({"basic": b""}, "not-a-ca"),
        ({"basic": drafts.basic_constraints(False)}, "not-a-ca"),
        ({"usage": drafts.key_usage(drafts.DIGITAL_SIGNATURE)}, "key-cert-sign"),
    ],
)
def test_only_a_ca_with_the_right_usage_issues_at_every_step(changes, rule):
    anchor = root()
    bad = authority(anchor, "bad", **changes)
    below = authority(bad, "below")
    for chain in ([leaf(bad), bad], [leaf(below), below, bad]):
        report = verify(chain, [anchor])
        assert ids(report) == {rule}
        assert report.findings[0].index == len(chain) - 1


def test_md5_is_refused_whatever_the_key():
    anchor = root("rsa root", own=key("rsa root", "rsa2048"))
    md5 = SignatureAlgorithm(SignatureKind.RSA_PKCS1, "md5")
    sha256 = drafts.algorithm_identifier(SignatureAlgorithm(SignatureKind.RSA_PKCS1, "sha256"))
    der = leaf(anchor).der.replace(sha256, drafts.algorithm_identifier(md5))
    assert "md5" in ids(verify([der], [anchor]))


# Python's own traps


def test_numbers_too_long_for_decimal_text_are_shown_in_hexadecimal():
    """`str` of an int beyond 4,300 digits raises ValueError."""
    anchor = root()
    end = leaf(anchor, serial=1 << 40_000)
    report = verify([end], [anchor], profile="strict")
    assert ids(report) == {"serial-number"}
    assert end.certificate.text()
    assert repr(end.certificate)
    assert report.explain()


def test_dates_beyond_datetime_are_read_and_shown():
    made = make("x", common_name("root"), key("leaf"), key("root"), (), not_before=-62_167_219_200, not_after=253_402_300_799)
    assert "0000-01-01" in made.certificate.text()
    assert "9999-12-31 23:59:59" in made.certificate.text()


def test_zone_identifiers_are_no_part_of_the_address_that_is_verified():
    name = GeneralName(GeneralNameKind.IP, parse_reference("fe80::1").address)
    assert matches(parse_reference("fe80::1%eth0"), name)
    assert not matches(parse_reference("fe80::2%eth0"), name)


def test_a_long_label_is_refused_before_punycode():
    """Encoding is quadratic."""
    from puretls.errors import UsageError

    with pytest.raises(UsageError):
        parse_reference("ü" * 500 + ".org")
    with pytest.raises(UsageError):
        parse_reference("ü" * 500_000)
