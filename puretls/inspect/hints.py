"""What to try when a handshake has failed: each hint has a test of the evidence, and a sentence in `texts/hints.toml`."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import NamedTuple

from puretls.der import oids
from puretls.der.reader import Reader
from puretls.der.times import time_text
from puretls.errors import DecodeError, Reason, UsageError
from puretls.iana import ExtensionType, NamedGroup, ProtocolVersion, SignatureScheme
from puretls.inspect.conversation import Conversation
from puretls.inspect.decoder import version_name
from puretls.inspect.evidence import Evidence
from puretls.inspect.seen import MessageSeen
from puretls.inspect.streams import SIDES
from puretls.inspect.texts.text import table
from puretls.messages.handshake import Certificate
from puretls.suites import Authentication, Suite
from puretls.text import printable

Words = Mapping[str, str]
NONE = "none"
"""In place of an alert: there was none."""
PACKET = 1400
"""Bytes of a hello that surely fit into one packet."""


class Clue(NamedTuple):
    """What to try, and the field to look at."""

    text: str
    path: str


# Tests: the words for the sentence, None where the hint does not apply


def _first_bytes(evidence: Evidence, words: Mapping[bytes, str]) -> Words | None:
    for side in SIDES:
        first = evidence.conversation.stream(side).first(16)
        for start, protocol in words.items():
            if first.startswith(start):
                return {"side": side, "first": repr(first.split(b"\r")[0].decode("ascii", "replace")), "protocol": protocol}
    return None


_HTTP = dict.fromkeys((b"HTTP/", b"GET ", b"POST ", b"HEAD ", b"PUT ", b"CONNECT ", b"OPTIONS ", b"<!DOCTYPE", b"<html"), "HTTP")
_OTHERS = {
    b"220": "SMTP or FTP", b"EHLO": "SMTP", b"HELO": "SMTP", b"* OK": "IMAP", b"+OK": "POP3", b"SSH-": "SSH", b"RFB ": "VNC",
    b"<?xml": "XMPP", b"<stream": "XMPP", b"-ERR": "POP3 or Redis",
}  # fmt: skip


def _plain_http(evidence: Evidence) -> Words | None:
    return _first_bytes(evidence, _HTTP)


def _other_protocol(evidence: Evidence) -> Words | None:
    return _first_bytes(evidence, _OTHERS)


def _no_server_name(evidence: Evidence) -> Words | None:
    return {} if evidence.at_hello and not evidence.extension_path(ExtensionType.SERVER_NAME) else None


def _other_server_name(evidence: Evidence) -> Words | None:
    path = evidence.extension_path(ExtensionType.SERVER_NAME, ".names[0].name")
    return {"name": evidence.server_name, "path": path} if evidence.server_name and evidence.by == "server" else None


def _signed_by(kind: Authentication) -> Callable[[Evidence], Words | None]:
    def test(evidence: Evidence) -> Words | None:
        kinds = {suite.auth for suite in evidence.suites}
        return {} if evidence.at_hello and kinds == {kind} else None

    return test


def _offered(test: Callable[[Suite], bool]) -> Callable[[Evidence], Words | None]:
    return lambda evidence: {} if evidence.at_hello and evidence.suites and all(map(test, evidence.suites)) else None


def _no_suite(evidence: Evidence) -> Words | None:
    return {} if evidence.at_hello and evidence.hello and not evidence.suites else None


def _no_schemes(evidence: Evidence) -> Words | None:
    return {} if evidence.at_hello and not evidence.extension_path(ExtensionType.SIGNATURE_ALGORITHMS) else None


def _no_extended_master_secret(evidence: Evidence) -> Words | None:
    """The newest hello of the other side does not have it; of a server's it is known that the client wanted it."""
    if evidence.by == "server" and not evidence.at_hello:
        return None
    seen = evidence.message(evidence.accused, "ClientHello" if evidence.by == "server" else "ServerHello")
    given = getattr(seen.message, "extensions", None) or () if seen else ()
    if seen is None or any(extension.extension_type == ExtensionType.EXTENDED_MASTER_SECRET for extension in given):
        return None
    return {"side": seen.side, "path": f"{seen.path}.extensions"}


def _few_groups(evidence: Evidence) -> Words | None:
    groups = evidence.values(ExtensionType.SUPPORTED_GROUPS, ".named_groups")
    path = evidence.extension_path(ExtensionType.SUPPORTED_GROUPS)
    if not evidence.at_hello or groups is None or NamedGroup.SECP256R1 in groups:
        return None
    return {"missing": "secp256r1", "path": path}


def _few_schemes(evidence: Evidence) -> Words | None:
    schemes = evidence.values(ExtensionType.SIGNATURE_ALGORITHMS, ".schemes")
    if not evidence.at_hello or schemes is None:
        return None
    names = [scheme.name for scheme in schemes if isinstance(scheme, SignatureScheme)]
    missing = [kind for kind in ("RSA", "ECDSA") if not any(name.startswith(kind) for name in names)]
    return (
        {"missing": " and ".join(missing), "path": evidence.extension_path(ExtensionType.SIGNATURE_ALGORITHMS)}
        if missing
        else None
    )


def _tls13_only(evidence: Evidence) -> Words | None:
    versions = evidence.values(ExtensionType.SUPPORTED_VERSIONS, ".versions") or []
    return {} if evidence.at_hello and ProtocolVersion.TLS_1_3 not in versions else None


def _newer_only(evidence: Evidence) -> Words | None:
    """The client's list of versions counts alone where it is there (RFC 8446 4.2.1)."""
    versions = evidence.values(ExtensionType.SUPPORTED_VERSIONS, ".versions")
    if not evidence.at_hello or not versions or ProtocolVersion.TLS_1_2 in versions:
        return None
    path = evidence.extension_path(ExtensionType.SUPPORTED_VERSIONS)
    return {"versions": ", ".join(version_name(int(version)) for version in versions[:4]), "path": path}


def _old_version(evidence: Evidence) -> Words | None:
    hello = evidence.hello
    if hello is None or not evidence.at_hello or hello.client_version >= ProtocolVersion.TLS_1_2:
        return None
    return {"version": version_name(int(hello.client_version))}


def _client_certificate(evidence: Evidence) -> Words | None:
    seen = evidence.message("client", "Certificate")
    empty = seen is not None and isinstance(seen.message, Certificate) and not seen.message.certificate_list
    return {"issuers": _issuers(evidence)} if evidence.by == "server" and empty else None


def _client_chain(evidence: Evidence) -> Words | None:
    chain = evidence.chain("client")
    if evidence.by != "server" or not chain:
        return None
    return {"issuer": str(chain[-1].issuer), "issuers": _issuers(evidence)}


def _issuers(evidence: Evidence) -> str:
    from puretls.x509.names.distinguished import read_name

    names = []
    for der in evidence.request.certificate_authorities[:3] if evidence.request else ():
        try:
            names.append(str(read_name(Reader(der), "name")))
        except DecodeError:
            continue
    return f" It names {'; '.join(names)}." if names else ""


def _validity(*, late: bool) -> Callable[[Evidence], Words | None]:
    def test(evidence: Evidence) -> Words | None:
        now, seen = evidence.seconds, evidence.message(evidence.accused, "Certificate")
        if now is None or seen is None:
            return None
        for index, certificate in enumerate(evidence.chain(evidence.accused)):
            limit = certificate.validity.not_after if late else certificate.validity.not_before
            if now > limit if late else now < limit:
                path = f"{seen.path}.certificate_list[{index}].tbs_certificate.validity.{'not_after' if late else 'not_before'}"
                return {"subject": str(certificate.subject), "date": time_text(limit), "path": path}
        return None

    return test


def _wrong_name(evidence: Evidence) -> Words | None:
    from puretls.x509.hostname import covered, parse_reference

    chain, seen = evidence.chain("server"), evidence.message("server", "Certificate")
    if evidence.by != "client" or not chain or not evidence.server_name or seen is None:
        return None
    try:
        if covered(parse_reference(evidence.server_name), chain[0].subject_alt_names):
            return None
    except UsageError:
        return None
    names = ", ".join(str(name) for name in chain[0].subject_alt_names[:4]) or "no name"
    extension = chain[0].extension(oids.SUBJECT_ALT_NAME)
    place = f"{extension.path}.subject_alt_name" if extension else "tbs_certificate.extensions"
    return {"name": evidence.server_name, "names": names, "path": f"{seen.path}.certificate_list[0].{place}"}


def _missing_intermediate(evidence: Evidence) -> Words | None:
    chain = evidence.chain(evidence.accused)
    if len(chain) != 1 or chain[0].is_self_issued:
        return None
    return {"side": evidence.accused, "issuer": str(chain[0].issuer)}


def _self_signed(evidence: Evidence) -> Words | None:
    chain = evidence.chain(evidence.accused)
    return {"side": evidence.accused} if len(chain) == 1 and chain[0].is_self_issued else None


def _private_authority(evidence: Evidence) -> Words | None:
    chain = evidence.chain(evidence.accused)
    return {"side": evidence.accused, "issuer": str(chain[-1].issuer)} if len(chain) > 1 else None


def _weak_certificate(evidence: Evidence) -> Words | None:
    from puretls.x509.keys.algorithms import WEAK_HASHES

    seen = evidence.message(evidence.accused, "Certificate")
    for index, certificate in enumerate(evidence.chain(evidence.accused)):
        try:
            weak = certificate.signature_algorithm.hash in WEAK_HASHES
        except DecodeError:
            continue
        if weak and seen and not certificate.is_self_issued:
            path = f"{seen.path}.certificate_list[{index}].signature_algorithm"
            return {"subject": str(certificate.subject), "algorithm": str(certificate.outer_signature), "path": path}
    return None


def _wrong_key(kind: str) -> Callable[[Evidence], Words | None]:
    """`kind` is "rsa", "psk", or "" for any other key exchange."""

    def test(evidence: Evidence) -> Words | None:
        failed, suite = evidence.failed_record, evidence.conversation.suite
        if failed is None or suite is None or not failed.first:
            return None
        own = "psk" if suite.is_psk else "rsa" if suite.kx.name == "RSA" else ""
        seen = evidence.message("client", "ClientKeyExchange")
        identity = getattr(seen.message, "psk_identity", b"") if seen else b""
        path = seen.path if seen and failed.opens else failed.path  # what opens under the sender's keys was not changed itself
        return {"path": path, "identity": repr(identity)[1:]} if own == kind else None

    return test


def _certificate_verify(evidence: Evidence) -> Words | None:
    seen = evidence.message("client", "CertificateVerify")
    return {"path": seen.path} if evidence.by == "server" and seen else None


def _unknown_identity(evidence: Evidence) -> Words | None:
    seen = evidence.message("client", "ClientKeyExchange")
    identity = getattr(seen.message, "psk_identity", None) if seen else None
    if seen is None or identity is None or evidence.by != "server":
        return None
    return {"identity": repr(identity)[1:], "path": f"{seen.path}.psk_identity"}


def _renegotiation(evidence: Evidence) -> Words | None:
    """Which extension of the newest hello of the other side ties it to the handshake before."""
    seen = evidence.message(evidence.accused, "ClientHello" if evidence.by == "server" else "ServerHello")
    if seen is None or seen.nth == 1 or seen.message is None:
        return None
    for index, extension in enumerate(getattr(seen.message, "extensions", None) or ()):
        if extension.extension_type == ExtensionType.RENEGOTIATION_INFO:
            return {"path": f"{seen.path}.extensions[{index}]"}
    return {"path": f"{seen.path}.extensions.length"}


def _changed_later(evidence: Evidence) -> Words | None:
    failed = evidence.failed_record
    return {"path": failed.path} if failed and not failed.first else None


def _wrong_finished(evidence: Evidence) -> Words | None:
    seen = evidence.message(evidence.accused, "Finished")
    wrong = seen is not None and seen.problem is not None and seen.problem.reason is Reason.BAD_FINISHED
    return {"path": f"{seen.path}.verify_data"} if wrong and seen else None


def _no_common_protocol(evidence: Evidence) -> Words | None:
    kind = ExtensionType.APPLICATION_LAYER_PROTOCOL_NEGOTIATION
    names = evidence.values(kind, ".names")
    told = ", ".join(name.decode("ascii", "replace") for name in names or [] if isinstance(name, bytes))
    return {"protocols": told, "path": evidence.extension_path(kind)} if told else None


def _after_hello(evidence: Evidence) -> Words | None:
    return {} if evidence.at_hello and not evidence.conversation.server.chunks else None


def _large_hello(evidence: Evidence) -> Words | None:
    seen = evidence.message("client", "ClientHello")
    return {"size": str(len(seen.raw))} if evidence.at_hello and seen and len(seen.raw) > PACKET else None


def _client_left(evidence: Evidence) -> Words | None:
    return {} if evidence.by == "client" and evidence.chain("server") else None


def _server_left(evidence: Evidence) -> Words | None:
    return {} if evidence.by == "server" and evidence.message("client", "ClientKeyExchange") else None


def _retry_newer(evidence: Evidence) -> Words | None:
    return {} if evidence.hello and 0x5600 in evidence.hello.cipher_suites else None


TESTS: Mapping[str, Callable[[Evidence], Words | None]] = {
    "plain_http": _plain_http,
    "other_protocol": _other_protocol,
    "wrong_finished": _wrong_finished,
    "certificate_verify": _certificate_verify,
    "unknown_identity": _unknown_identity,
    "wrong_rsa_key": _wrong_key("rsa"),
    "wrong_psk": _wrong_key("psk"),
    "wrong_keys": _wrong_key(""),
    "changed_later": _changed_later,
    "renegotiation": _renegotiation,
    "client_certificate": _client_certificate,
    "client_chain": _client_chain,
    "expired": _validity(late=True),
    "not_yet_valid": _validity(late=False),
    "wrong_name": _wrong_name,
    "missing_intermediate": _missing_intermediate,
    "self_signed": _self_signed,
    "private_authority": _private_authority,
    "weak_certificate": _weak_certificate,
    "newer_only": _newer_only,
    "other_server_name": _other_server_name,
    "no_server_name": _no_server_name,
    "old_version": _old_version,
    "retry_newer": _retry_newer,
    "no_common_protocol": _no_common_protocol,
    "no_suite": _no_suite,
    "few_groups": _few_groups,
    "few_schemes": _few_schemes,
    "no_schemes": _no_schemes,
    "only_rsa": _signed_by(Authentication.RSA),
    "only_ecdsa": _signed_by(Authentication.ECDSA),
    "only_rsa_key_exchange": _offered(lambda suite: suite.kx.name == "RSA"),
    "only_cbc": _offered(lambda suite: not suite.is_aead),
    "no_extended_master_secret": _no_extended_master_secret,
    "tls13_only": _tls13_only,
    "after_hello": _after_hello,
    "large_hello": _large_hello,
    "client_left": _client_left,
    "server_left": _server_left,
}
"""Name of a hint in `texts/hints.toml` -> its test; the order is that in which they are told."""


def clues(conversation: Conversation, alert: str, by: str) -> Iterator[Clue]:
    """What the evidence speaks for, when `by` gave up with this alert, or with `NONE`."""
    evidence = Evidence(conversation, alert, by)
    for name, test in TESTS.items():
        row = table("hints")[name]
        words = test(evidence) if alert in row["alerts"] else None
        if words is not None:
            words = {"hello": evidence.hello_path, **words}
            yield Clue(printable(row["try"].format(**words)), row["path"].format(**words))


def asked_for(seen: MessageSeen) -> str:
    """What the side whose last message this is waits for, or was about to send."""
    return _ASKED.get((seen.side, seen.name), "was to go on")


_ASKED = {
    ("client", "ClientHello"): "asked for a ServerHello",
    ("server", "HelloRequest"): "asked for a new ClientHello",
    ("server", "ServerHelloDone"): "asked for the client's key exchange and its Finished",
    ("client", "Finished"): "asked for the server's ChangeCipherSpec and Finished",
    ("server", "Finished"): "asked for the client's ChangeCipherSpec and Finished, or was the end of the handshake",
}
