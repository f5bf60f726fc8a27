"""What a context trusts: loading beside the C module; flags, levels and codes beside `openssl verify`."""

import ctypes
import ctypes.util
import os
import random
import re
import shutil
import subprocess
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import replace
from datetime import datetime

import pytest

from puretls import danger
from puretls.ca import DevelopmentCa
from puretls.crypto.provider import default
from puretls.der import oids, writer
from puretls.ssl import store
from puretls.ssl import trust as trusting
from puretls.ssl.constants import (
    HOSTFLAG_NEVER_CHECK_SUBJECT,
    HOSTFLAG_NO_PARTIAL_WILDCARDS,
    VERIFY_CRL_CHECK_CHAIN,
    VERIFY_CRL_CHECK_LEAF,
    VERIFY_X509_PARTIAL_CHAIN,
    VERIFY_X509_STRICT,
    VERIFY_X509_TRUSTED_FIRST,
)
from puretls.ssl.errors import SSLError
from puretls.ssl.levels import minimum_bits, strength
from puretls.ssl.policy import STRICT
from puretls.ssl.trust import Trust
from puretls.ssl.verify_codes import CODES, MESSAGES
from puretls.x509.certificates.certificate import Certificate
from puretls.x509.drafts import CertificateDraft, Signer
from puretls.x509.pem import load_certificates, write_pem
from puretls.x509.reports.rules import DEFAULT, RULES
from puretls.x509.verifier import ChainRequest
from tests.ssl.made import extension
from tests.support.credentials import NAME, NOW, authority, issued
from tests.x509 import shared

ssl = pytest.importorskip("ssl", reason="compares with the C module _ssl")


def pem(*ders):
    return "".join(write_pem("CERTIFICATE", der) for der in ders)


ROOT, LEAF, INTERMEDIATE = authority().root.certificate, *issued().chain[:2]
BROKEN = {
    "base64": "-----BEGIN CERTIFICATE-----\n!!!!\n-----END CERTIFICATE-----\n",
    "der": "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
    "unclosed": "-----BEGIN CERTIFICATE-----\nAAAA\n",
}


def ours(**what):
    trust = Trust()
    trust.load(**what)
    return trust.stats()


def theirs(**what):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.load_verify_locations(**what)
    return context.cert_store_stats()


def outcome(load, what):
    try:
        return load(**what)
    except (ssl.SSLError, SSLError) as error:
        return "SSLError", re.split(r" \(|: cadata", error.strerror)[0]
    except OSError as error:
        return type(error), error.errno
    except Exception as error:
        return type(error), str(error)


# Loading

DATA = {
    "pem": pem(ROOT),
    "pem-two": pem(ROOT, INTERMEDIATE),
    "pem-twice": pem(ROOT, ROOT),
    "pem-leaf": pem(LEAF),
    "pem-with-text": pem(ROOT) + "text\n" + pem(LEAF),
    "pem-with-key": "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n" + pem(ROOT),
    "pem-with-crl": "-----BEGIN X509 CRL-----\nAAAA\n-----END X509 CRL-----\n" + pem(ROOT),
    "der": ROOT,
    "der-two": ROOT + INTERMEDIATE,
    "bytearray": bytearray(ROOT),
    "memoryview": memoryview(ROOT),
    "der-and-junk": ROOT + b"junk",
    "der-cut": ROOT + LEAF[:50],
    "junk": b"junk",
    "pem-in-bytes": pem(ROOT).encode(),
    "empty": "",
    "empty-bytes": b"",
    "text": "broken",
    "not-ascii": "\xe9",
    "object": 5,
    "list": [1],
    **BROKEN,
}


@pytest.mark.parametrize("kind", DATA)
def test_cadata_is_taken_and_refused_as_the_c_module_does(kind):
    assert outcome(ours, {"cadata": DATA[kind]}) == outcome(theirs, {"cadata": DATA[kind]})


@pytest.mark.parametrize("kind", BROKEN)
def test_a_block_that_cannot_be_read_is_an_error_behind_a_good_one_as_well(kind):
    mine = outcome(ours, {"cadata": pem(ROOT) + BROKEN[kind]})
    assert mine == ("SSLError", "[PEM] PEM lib")
    assert outcome(theirs, {"cadata": pem(ROOT) + BROKEN[kind]})[0] == "SSLError"


FILES = {kind: text for kind, text in DATA.items() if isinstance(text, str) and "key" not in kind and text.isascii()}


@pytest.mark.parametrize("kind", [*FILES, "nowhere", "folder"])
def test_cafile_is_taken_and_refused_as_the_c_module_does(kind, tmp_path):
    path = tmp_path if kind == "folder" else tmp_path / "ca.pem"
    if kind in FILES:
        path.write_text(FILES[kind])
    mine, other = (outcome(load, {"cafile": path}) for load in (ours, theirs))
    assert mine == other


@pytest.mark.parametrize("what", [{}, {"cafile": 5}, {"capath": True}, {"cafile": None, "capath": None}], ids=str)
def test_what_is_no_place_is_a_type_error(what):
    assert outcome(ours, what) == outcome(theirs, what)


def test_authorities_are_those_of_the_c_module_in_both_forms(tmp_path):
    certificates = (ROOT, INTERMEDIATE, LEAF, issued("rsa2048").chain[0])
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.load_verify_locations(cadata=pem(*certificates))
    trust = Trust()
    trust.load(cadata=pem(*certificates))
    assert trust.stats() == context.cert_store_stats()
    for binary in (True, False):
        assert sorted(map(str, trust.authorities(binary))) == sorted(map(str, context.get_ca_certs(binary)))


# Directories, and what is trusted by default


@pytest.fixture
def hashed(tmp_path):
    """A directory that `openssl rehash` has named the files of."""
    if shutil.which("openssl") is None:
        pytest.skip("the command openssl is not here")
    folder = tmp_path / "hashed"
    folder.mkdir()
    (folder / "root.pem").write_text(pem(ROOT))
    subprocess.run(["openssl", "rehash", str(folder)], check=True, capture_output=True)
    return folder


def request(chain=(LEAF, INTERMEDIATE), time=NOW):
    return ChainRequest(chain, "server", None, time)


def verdict(trust, *, chain=(LEAF, INTERMEDIATE), name=NAME, flags=VERIFY_X509_TRUSTED_FIRST, level=2, time=NOW):
    """0, or OpenSSL's number for why not."""
    report = trust.verify(request(chain, time), name, flags, 4, level)
    return 0 if report.accepted else trust.code(report, name)[0]


@pytest.mark.interop
def test_a_directory_is_asked_when_a_chain_wants_it_and_not_before(hashed):
    trust = Trust()
    trust.load(capath=str(hashed))
    assert trust.authorities(binary=True) == []
    assert verdict(trust) == 0
    assert trust.authorities(binary=True) == [ROOT]
    assert verdict(trust, chain=(ROOT,), name=None) == 0  # a root in the place of a leaf is trusted itself


def test_a_signature_is_verified_once_whichever_context_asks():
    assert loaded(ROOT).verify(request(), NAME, 0, 4).accepted
    again = loaded(ROOT).verify(request(), NAME, VERIFY_X509_PARTIAL_CHAIN, 4)
    assert (again.accepted, again.signatures) == (True, 0)
    assert not loaded(INTERMEDIATE).verify(request(), NAME, 0, 4).accepted  # what is trusted is each context's own


@pytest.mark.interop
def test_who_finds_a_file_of_a_directory_read_finds_what_was_in_it(hashed, monkeypatch):
    """Several threads connect by one context, and the disk is slow."""

    def read_slowly(data):
        meanwhile.append(pool.submit(verdict, trust))
        wait(meanwhile, 0.05)
        return entries(data)

    trust, meanwhile, entries = Trust(), [], store.read_entries
    trust.load(capath=hashed)
    monkeypatch.setattr(store, "read_entries", read_slowly)
    with ThreadPoolExecutor() as pool:
        assert verdict(trust) == 0
        assert [each.result() for each in meanwhile] == [0]


@pytest.mark.interop
@pytest.mark.parametrize(
    "put",
    [os.mkfifo, os.mkdir, lambda path: path.symlink_to(path), lambda path: path.symlink_to("/dev/zero")],
    ids=["pipe", "directory", "loop", "device"],
)
def test_what_is_no_file_in_a_directory_holds_nobody_up_and_hides_nothing(hashed, put):
    link = next(path for path in hashed.iterdir() if path.suffix == ".0")
    link.rename(link.with_suffix(".1"))
    put(link)
    trust = Trust()
    trust.load(capath=hashed)
    assert verdict(trust) == 0


@pytest.mark.rfc("5280", "4.2.1.12")
def test_a_certificate_for_any_purpose_alone_is_for_none(tmp_path):
    """OpenSSL refuses it, be it a leaf or an authority."""
    made = issued("secp256r1", "any.test", "server")
    usage = writer.sequence(writer.oid(oids.ANY_EXTENDED_KEY_USAGE))
    name = extension(oids.SUBJECT_ALT_NAME, writer.sequence(writer.implicit(2, b"any.test")))
    draft = replace(made.draft, extensions=(name, extension(oids.EXTENDED_KEY_USAGE, usage)))
    der = authority().issued(draft, made.key).certificate
    for flags in (0, VERIFY_X509_PARTIAL_CHAIN):
        assert verdict(loaded(ROOT), chain=(der, INTERMEDIATE), name="any.test", flags=flags) == 26
    if shutil.which("openssl"):
        for file, content in (("ca.pem", pem(ROOT)), ("above.pem", pem(INTERMEDIATE)), ("any.pem", pem(der))):
            (tmp_path / file).write_text(content)
        command = [
            "openssl",
            "verify",
            "-purpose",
            "sslserver",
            "-CAfile",
            "ca.pem",
            "-untrusted",
            "above.pem",
            "-attime",
            str(int(NOW)),
            "any.pem",
        ]
        assert "error 26 " in subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False).stderr


@pytest.mark.interop
def test_several_directories_are_one_argument(hashed, tmp_path):
    trust = Trust()
    trust.load(capath=os.pathsep.join((str(tmp_path), str(hashed))))
    assert verdict(trust) == 0


@pytest.mark.interop
def test_what_a_directory_gets_later_is_found(hashed, tmp_path):
    trust, empty = Trust(), tmp_path / "later"
    empty.mkdir()
    trust.load(capath=empty)
    assert verdict(trust) == 20
    for path in hashed.iterdir():
        shutil.copy(path, empty / path.name)
    assert verdict(trust) == 0


@pytest.mark.interop
def test_a_file_that_cannot_be_read_in_a_directory_is_told_and_nothing_else(hashed):
    link = next(path for path in hashed.iterdir() if path.suffix == ".0")
    link.unlink()
    link.write_text(BROKEN["base64"])
    trust = Trust()
    trust.load(capath=hashed)
    report = trust.verify(request(), NAME, 0, 4)
    assert not report.accepted
    assert any(link.name in finding.sentence for finding in report.findings)


@pytest.mark.interop
def test_the_variables_are_read_when_the_defaults_are_asked_for(hashed, tmp_path, monkeypatch):
    file = tmp_path / "roots.pem"
    file.write_text(pem(ROOT))
    trust = Trust()
    for variable, value in (("SSL_CERT_FILE", file), ("SSL_CERT_DIR", hashed)):
        monkeypatch.delenv("SSL_CERT_FILE", raising=False)
        monkeypatch.delenv("SSL_CERT_DIR", raising=False)
        monkeypatch.setenv(variable, str(value))
        trust = Trust()
        trust.load_defaults()
        assert verdict(trust) == 0, variable
        monkeypatch.setenv(variable, str(tmp_path / "nowhere"))
        trust = Trust()
        trust.load_defaults()  # silent, as in OpenSSL
        assert verdict(trust) == 20, variable
    assert trusting.default_paths()[::2] == ("SSL_CERT_FILE", "SSL_CERT_DIR")


def test_the_systems_roots_are_trusted_where_no_variable_is_set(monkeypatch, tmp_path):
    monkeypatch.delenv("SSL_CERT_FILE", raising=False)
    monkeypatch.delenv("SSL_CERT_DIR", raising=False)
    bundle = tmp_path / "bundle.pem"
    bundle.write_text(pem(ROOT))
    monkeypatch.setattr(trusting.roots, "BUNDLES", (str(bundle),))
    monkeypatch.setattr(trusting.roots, "DIRECTORIES", ())
    trust = Trust()
    trust.load_defaults()
    assert verdict(trust) == 0


# Flags and levels


def loaded(*ders):
    trust = Trust()
    trust.load(cadata=pem(*ders))
    return trust


def test_trust_ends_at_roots_and_with_partial_chain_anywhere():
    for flags, trusted in ((0, (0, 20, 20)), (VERIFY_X509_PARTIAL_CHAIN, (0, 0, 0))):
        assert tuple(verdict(loaded(der), flags=flags) for der in (ROOT, INTERMEDIATE, LEAF)) == trusted


def test_strict_asks_nothing_of_a_leaf_that_is_trusted_by_itself(tmp_path):
    """As `openssl req -x509` makes them in a hurry: no key identifiers, no keyUsage."""
    key = issued("secp256r1", "self.test", "server")
    subject = writer.sequence(writer.set_of(writer.sequence(writer.oid(oids.COMMON_NAME), writer.utf8_string("self.test"))))
    bare = CertificateDraft(subject, subject, 7, int(NOW) - 1000, int(NOW) + 1000, key.draft.spki, (
        extension(oids.SUBJECT_ALT_NAME, writer.sequence(writer.implicit(2, b"self.test"))),
        extension(oids.BASIC_CONSTRAINTS, writer.sequence(writer.boolean(True))),
    ))  # fmt: skip
    der = bare.signed(Signer(key.key, danger.fixed_random(b"self"), default()))
    for flags in (0, VERIFY_X509_STRICT, VERIFY_X509_STRICT | VERIFY_X509_PARTIAL_CHAIN):
        assert verdict(loaded(der), chain=(der,), name="self.test", flags=flags) == 0
    (tmp_path / "self.pem").write_text(pem(der))
    if shutil.which("openssl"):
        command = ["openssl", "verify", "-x509_strict", "-CAfile", "self.pem", "-attime", str(int(NOW)), "self.pem"]
        assert subprocess.run(command, cwd=tmp_path, capture_output=True, check=False).returncode == 0


def test_a_link_that_the_peer_left_out_is_taken_from_what_was_loaded():
    assert verdict(loaded(ROOT), chain=(LEAF,)) == 20
    assert verdict(loaded(ROOT, INTERMEDIATE), chain=(LEAF,)) == 0


@pytest.mark.rfc("6125", "6.4.4")
def test_a_common_name_does_not_count_below_name_constraints():
    made = issued("secp256r1", "plain.test", "server")
    ca = issued("secp256r1", "constrained", "server")
    name = writer.sequence(writer.set_of(writer.sequence(writer.oid(oids.COMMON_NAME), writer.utf8_string("constrained"))))
    subject = writer.sequence(writer.set_of(writer.sequence(writer.oid(oids.COMMON_NAME), writer.utf8_string("plain.test"))))
    basic = writer.sequence(writer.oid(oids.BASIC_CONSTRAINTS), writer.boolean(True), writer.octet_string(writer.sequence(writer.boolean(True))))
    within = writer.sequence(writer.explicit(0, writer.sequence(writer.implicit(2, b"other.test"))))
    times = int(NOW) - 1000, int(NOW) + 1000
    signer = Signer(ca.key, danger.fixed_random(b"constrained"), default())
    leaf = CertificateDraft(subject, name, 8, *times, made.draft.spki).signed(signer)
    for constraints, code in (((), 0), ((extension(oids.NAME_CONSTRAINTS, within),), 51)):
        root = CertificateDraft(name, name, 7, *times, ca.draft.spki, (basic, *constraints)).signed(signer)
        assert verdict(loaded(root), chain=(leaf,), name="plain.test") == code
        assert verdict(loaded(root), chain=(leaf,), name="other.test") == 62


@pytest.mark.parametrize("flags", [0, VERIFY_X509_STRICT, VERIFY_X509_PARTIAL_CHAIN, VERIFY_X509_STRICT | VERIFY_X509_PARTIAL_CHAIN])
@pytest.mark.parametrize("trusted", [ROOT, INTERMEDIATE], ids=["root", "intermediate"])
def test_a_leaf_with_another_signature_is_refused_under_every_flag(flags, trusted):
    forged = bytearray(LEAF)
    forged[-1] ^= 1
    for more in ((INTERMEDIATE,), (INTERMEDIATE,) * 30, (INTERMEDIATE, ROOT)):
        assert verdict(loaded(trusted), chain=(bytes(forged), *more), flags=flags) in {7, 19, 20}


def named(text):
    return writer.sequence(writer.set_of(writer.sequence(writer.oid(oids.COMMON_NAME), writer.utf8_string(text))))


def test_no_number_of_decoys_makes_strict_forget_a_signature():
    """What excuses one finding of a refused path must not excuse those that were not looked for, when the work for them was used up."""
    keys = {name: issued("secp256r1", name, "server") for name in ("anchor", "decoy", "leaf")}
    signer = Signer(keys["leaf"].key, danger.fixed_random(b"nobody trusts this key"), default())
    times = int(NOW) - 1000, int(NOW) + 1000

    def made(subject, issuer, key, serial, *extensions):
        return CertificateDraft(named(subject), named(issuer), serial, *times, keys[key].draft.spki, extensions).signed(signer)

    def authority_of(key, *more):
        critical = writer.boolean(True)
        basic = writer.sequence(writer.oid(oids.BASIC_CONSTRAINTS), critical, writer.octet_string(writer.sequence(writer.boolean(True))))
        usage = writer.sequence(writer.oid(oids.KEY_USAGE), critical, writer.octet_string(writer.named_bits({5, 6})))
        return basic, usage, extension(oids.SUBJECT_KEY_IDENTIFIER, writer.octet_string(key.encode())), *more

    def below(key):
        return extension(oids.AUTHORITY_KEY_IDENTIFIER, writer.sequence(writer.implicit(0, key.encode())))

    def alternative(name):
        return extension(oids.SUBJECT_ALT_NAME, writer.sequence(writer.implicit(2, name.encode())))

    anchor = made("anchor", "somebody above", "anchor", 1, *authority_of("anchor"))
    decoys = [made("decoy", "anchor", "decoy", n, *authority_of("decoy", below("anchor"), alternative(f"n{n}.test"))) for n in range(2, 60)]
    leaf = made("leaf", "decoy", "leaf", 99, below("decoy"), alternative("leaf.test"))
    for flags in (VERIFY_X509_PARTIAL_CHAIN, VERIFY_X509_PARTIAL_CHAIN | VERIFY_X509_STRICT):
        assert verdict(loaded(anchor), chain=(leaf, *decoys), name="leaf.test", flags=flags) != 0


def test_a_link_from_the_store_leaves_the_fault_that_the_leaf_has():
    assert verdict(loaded(ROOT, INTERMEDIATE), chain=(LEAF,), name="other.test") == 62


def without_alternative_names(name, *instead):
    """A leaf of the development CA with `name` as commonName, and no subjectAltName."""
    made = issued("secp256r1", name, "server")
    kept = tuple(one for one in made.draft.extensions if writer.oid(oids.SUBJECT_ALT_NAME) not in one)
    ca = DevelopmentCa.load(authority().root, authority().intermediate, danger.fixed_random(b"common name"), NOW)
    subject = writer.sequence(writer.set_of(writer.sequence(writer.oid(oids.COMMON_NAME), writer.utf8_string(name))))
    return ca.issued(replace(made.draft, extensions=(*kept, *instead), subject=subject), made.key).chain


@pytest.mark.parametrize(
    ("common", "name", "code"),
    [
        ("plain.test", "plain.test", 0),
        ("plain.test", "other.test", 62),
        ("*.wild.test", "a.wild.test", 0),
        ("*.wild.test", "a.b.wild.test", 62),
        ("*.test", "192.0.2.1", 64),
    ],
)
def test_a_common_name_counts_only_without_alternative_names_and_where_the_flag_lets_it(common, name, code):
    chain = without_alternative_names(common)
    trust = loaded(ROOT)

    def told(host_flags, leaf=chain):
        report = trust.verify(request(leaf), name, 0, host_flags)
        return 0 if report.accepted else trust.code(report, name)[0]

    assert told(HOSTFLAG_NO_PARTIAL_WILDCARDS) == code
    assert told(HOSTFLAG_NEVER_CHECK_SUBJECT) in {62, 64}
    assert told(HOSTFLAG_NO_PARTIAL_WILDCARDS, (LEAF, INTERMEDIATE)) in {62, 64}  # with subjectAltName, the subject is never asked


def test_an_empty_list_of_names_is_borne_without_strict_and_is_no_name():
    chain = without_alternative_names("plain.test", extension(oids.SUBJECT_ALT_NAME, writer.sequence()))
    assert [verdict(loaded(ROOT), chain=chain, name=name) for name in ("plain.test", "other.test", None)] == [0, 62, 0]
    assert verdict(loaded(ROOT), chain=chain, name="plain.test", flags=VERIFY_X509_STRICT) == 87


def test_names_dates_and_strangers_have_openssls_numbers_and_words():
    trust = loaded(ROOT)
    told = {
        "name": trust.code(trust.verify(request(), "other.test", 0, 4), "other.test"),
        "address": trust.code(trust.verify(request(), "192.0.2.1", 0, 4), "192.0.2.1"),
        "late": trust.code(trust.verify(request(time=NOW + 10**9), NAME, 0, 4), NAME),
        "early": trust.code(trust.verify(request(time=NOW - 10**9), NAME, 0, 4), NAME),
        "stranger": trust.code(Trust().verify(request(), NAME, 0, 4), NAME),
        "self-signed": trust.code(Trust().verify(request((ROOT,)), None, 0, 4), None),
        "root-sent": trust.code(loaded(issued("rsa2048").chain[0]).verify(request((LEAF, INTERMEDIATE, ROOT)), None, 0, 4), None),
    }
    assert told == {
        "name": (62, "Hostname mismatch, certificate is not valid for 'other.test'."),
        "address": (64, "IP address mismatch, certificate is not valid for '192.0.2.1'."),
        "late": (10, "certificate has expired"),
        "early": (9, "certificate is not yet valid"),
        "stranger": (20, "unable to get local issuer certificate"),
        "self-signed": (18, "self-signed certificate"),
        "root-sent": (19, "self-signed certificate in certificate chain"),
    }


@pytest.mark.parametrize("name", ["localhost", "other.test"])
@pytest.mark.parametrize("depth", ["intermediate", "root alone"])
@pytest.mark.parametrize("sent", ["without its root", "with its root"])
def test_an_authority_that_was_made_anew_under_its_old_name_is_no_issuer(name, depth, sent, tmp_path):
    """The client trusts the old one. OpenSSL sees by the key identifiers that it is another, before it compares any name."""
    old, new = (DevelopmentCa.create(os.urandom, time.time(), intermediate=depth == "intermediate") for _ in range(2))
    chain = (*new.issue(["localhost"]).chain, *([new.root.certificate] if sent == "with its root" else []))
    trust = loaded(old.root.certificate)
    number, _ = trust.code(trust.verify(request(chain, time=time.time()), name, 0, 4), name)
    assert number == (19 if sent == "with its root" else 20)
    for file, ders in {"root": [old.root.certificate], "leaf": chain[:1], "chain": chain}.items():
        (tmp_path / file).write_text(pem(*ders))
    if shutil.which("openssl"):
        command = ["openssl", "verify", "-CAfile", "root", "-untrusted", "chain", "-verify_hostname", name, "leaf"]
        told = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False).stderr
        assert f"error {number} at" in told.splitlines()[1]


def test_without_a_name_no_name_is_compared_and_a_bad_one_fits_nothing():
    assert verdict(loaded(ROOT), name=None) == 0
    assert verdict(loaded(ROOT), name="*.test") == verdict(loaded(ROOT), name="a..b") == 62


@pytest.mark.parametrize("level", range(6))
def test_a_level_asks_for_keys_of_its_strength(level):
    for kind in ("rsa2048", "secp256r1", "secp384r1"):
        one = issued(kind)
        path = [*one.chain, ROOT]
        weakest = min(strength(Certificate.read(der).public_key) for der in path)
        assert (verdict(loaded(ROOT), chain=one.chain, level=level) == 0) == (weakest >= minimum_bits(level))


def test_what_strict_asks_for_is_known_to_the_validator_and_has_a_number():
    assert set(STRICT) <= RULES.keys()
    not_asked_here = {"wrong-name", "requested-key-usage", "anchor-validity", "anchor-constraints"}  # the last two are no findings
    ruled = {rule.id for rule in RULES.values() if DEFAULT in rule.profiles} | set(STRICT)
    assert ruled <= CODES.keys() | not_asked_here
    assert set(CODES.values()) <= MESSAGES.keys()


def test_the_words_of_each_number_are_openssls():
    library = ctypes.util.find_library("crypto")
    if library is None:
        pytest.skip("OpenSSL's libcrypto is not here")
    words = ctypes.CDLL(library).X509_verify_cert_error_string
    words.restype, words.argtypes = ctypes.c_char_p, [ctypes.c_long]
    if words(18) != b"self-signed certificate":
        pytest.skip("another version of OpenSSL has other words")
    assert {code: words(code).decode() for code in MESSAGES} == MESSAGES


# Beside `openssl verify`

FLAGS = {
    "none": (0, []),
    "strict": (VERIFY_X509_STRICT, ["-x509_strict"]),
    "partial": (VERIFY_X509_PARTIAL_CHAIN, ["-partial_chain"]),
    "default-context": (VERIFY_X509_STRICT | VERIFY_X509_PARTIAL_CHAIN, ["-x509_strict", "-partial_chain"]),
}


def time_of(case):
    return datetime.fromisoformat(case["validation_time"]).timestamp() if case["validation_time"] else 1_795_000_000


def by_openssl(case, options, folder):
    """0, or the number of the first error."""
    (folder / "ca.pem").write_text("\n".join(case["trusted_certs"]))
    (folder / "leaf.pem").write_text(case["peer_certificate"])
    (folder / "others.pem").write_text("\n".join(case["untrusted_intermediates"]))
    name = case["expected_peer_name"]
    command = [
        "openssl",
        "verify",
        "-CAfile",
        "ca.pem",
        "-no-CApath",
        "-no-CAstore",
        "-auth_level",
        "2",
        "-attime",
        str(int(time_of(case))),
    ]
    command += ["-purpose", "sslserver" if case["validation_kind"] == "SERVER" else "sslclient", *options]
    command += ["-untrusted", "others.pem"] if case["untrusted_intermediates"] else []
    if case["validation_kind"] == "SERVER" and name:
        command += ["-verify_ip" if name["kind"] == "IP" else "-verify_hostname", name["value"]]
    if case["crls"]:
        (folder / "crl.pem").write_text("\n".join(case["crls"]))
        command += ["-CRLfile", "crl.pem", "-crl_check_all"]
    told = subprocess.run([*command, "leaf.pem"], capture_output=True, text=True, check=False, cwd=folder)
    found = re.search(r"error (\d+) at", told.stderr + told.stdout)
    return int(found[1]) if told.returncode and found else told.returncode


def by_us(case, flags, folder):
    trust = Trust()
    (folder / "ca.pem").write_text("\n".join(case["trusted_certs"] + case["crls"]))
    trust.load(cafile=folder / "ca.pem")
    chain = tuple(der for text in (case["peer_certificate"], *case["untrusted_intermediates"]) for der in load_certificates(text))
    name = case["expected_peer_name"]["value"] if case["expected_peer_name"] and case["validation_kind"] == "SERVER" else None
    asked = ChainRequest(chain, case["validation_kind"].lower(), None, time_of(case))
    report = trust.verify(asked, name, flags | (VERIFY_CRL_CHECK_CHAIN if case["crls"] else 0), 4)
    return 0 if report.accepted else trust.code(report, name)[0]


WEAKER = {
    "rfc5280::validity::notafter-exact": "both ends belong to the period (RFC 5280 4.1.2.5)",
    "rfc5280::validity::notafter-fractional": "both ends belong to the period",
    "webpki::aki::root-with-aki-authoritycertissuer": "its own name and number are those of the root",
    "webpki::aki::root-with-aki-authoritycertserialnumber": "the same",
    "webpki::aki::root-with-aki-all-fields": "the same",
    "rfc5280::ski::critical-ski": "it is understood, so it may be critical; strict refuses it",
    "rfc5280::aki::critical-aki": "the same",
    "rfc5280::ee-critical-aia-invalid": "the same",
    "rfc5280::nc::nc-forbids-same-chain-ica": "a self-issued CA is not bound (RFC 5280 4.2.1.10)",
}
"""What we accept and OpenSSL refuses, and why. Besides, in the families of BetterTLS: another path is found where the first one fails,
and a commonName is no host name, so that constraints on host names do not concern it."""


def compared(flags, cases, folder):
    """What differs as to yes or no, and how often the numbers differ."""
    bits, options = FLAGS[flags]
    accepted, refused, numbers = set(), set(), Counter()
    for case in cases:
        other, mine = by_openssl(case, options, folder), by_us(case, bits, folder)
        numbers["same" if other == mine else "other"] += 1
        if mine == 0 != other:
            accepted.add(case["id"])
        elif other == 0 != mine:
            refused.add(case["id"])
    return accepted, refused, numbers


@pytest.mark.interop
@pytest.mark.parametrize(
    ("flags", "count"), [*((flags, 9) for flags in FLAGS), *(pytest.param(flags, 75, marks=pytest.mark.full) for flags in FLAGS)]
)
def test_nothing_is_accepted_that_openssl_refuses_but_what_is_listed(flags, count, tmp_path):
    if shutil.which("openssl") is None:
        pytest.skip("the command openssl is not here")
    cases = [case for case in shared.load("limbo-public-light.json.gz")["testcases"] if "max-chain-depth" not in case["features"]]
    accepted, refused, numbers = compared(flags, random.Random(flags).sample(cases, count), tmp_path)
    assert not {case for case in accepted if not case.startswith("bettertls::")} - WEAKER.keys()
    assert len(accepted) <= count // 10 + 1
    assert len(refused) <= count // 20 + 1
    assert numbers["same"] >= count * 0.7


# Revocation


@pytest.mark.interop
def test_crl_flags_ask_for_the_crls_of_the_leaf_or_of_all_in_files_and_directories(tmp_path):
    case = next(
        one for one in shared.load("limbo-public-light.json.gz")["testcases"] if one["id"] == "crl::revoked-certificate-with-crl"
    )
    chain = load_certificates(case["peer_certificate"])
    when = time_of(case)

    def code(flags, crls=True, at=when):
        trust = Trust()
        (tmp_path / "all.pem").write_text("\n".join(case["trusted_certs"] + (case["crls"] if crls else [])))
        trust.load(cafile=tmp_path / "all.pem")
        assert trust.stats()["crl"] == (len(case["crls"]) if crls else 0)
        return verdict(trust, chain=chain, name=None, flags=flags, time=at)

    assert code(0) == 0  # OpenSSL, too, asks no CRL without a flag
    assert code(VERIFY_CRL_CHECK_LEAF) == code(VERIFY_CRL_CHECK_CHAIN) == 23
    assert code(VERIFY_CRL_CHECK_LEAF, crls=False) == 3
    folder = tmp_path / "hashed"
    folder.mkdir()
    (folder / "crl.pem").write_text(case["crls"][0])
    (folder / "ca.pem").write_text(case["trusted_certs"][0])
    subprocess.run(["openssl", "rehash", str(folder)], check=True, capture_output=True)
    trust = Trust()
    trust.load(capath=folder)
    assert verdict(trust, chain=chain, name=None, flags=VERIFY_CRL_CHECK_LEAF, time=when) == 23
