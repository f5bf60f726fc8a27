"""The rules of certificate validation, one row each, and the profiles made of them.

A rule has a name by which it can be switched off, the profiles it belongs to, the section that demands it, what it demands, how a
violation is mended, the alert that a refusal sends, and its rank: of several violations, the one of the highest rank is named first.

`default` takes what is deployed and safe; `strict` asks for RFC 5280 to the letter, of roots too; `webpki` is strict plus what the
CA/Browser Forum's Baseline Requirements (BR) add, minus what they explicitly relax.
"""

from __future__ import annotations

from collections.abc import Iterable

from puretls.errors import UsageError
from puretls.iana import AlertDescription as Alert
from puretls.values import frozen

DEFAULT, STRICT, WEBPKI = "default", "strict", "webpki"


@frozen
class Rule:
    """One row. `profiles`: those it belongs to. `sentence` says what is demanded, `mend` what to do about a violation."""

    id: str
    profiles: frozenset[str]
    section: str
    sentence: str
    mend: str
    alert: Alert = Alert.BAD_CERTIFICATE
    rank: int = 50


D = frozenset({DEFAULT, STRICT, WEBPKI})
S = frozenset({STRICT, WEBPKI})
S_ONLY = frozenset({STRICT})
W = frozenset({WEBPKI})

_REISSUE = "have the certificate issued again without the fault"
_REISSUE_CA = "the certification authority must be issued again without the fault"

TABLE = (
    # The path
    Rule("anchors", D, "RFC 5280 6.1.1", "there are trust anchors to begin from",
         "configure trust anchors: the system's roots, or the file of your own authority", Alert.UNKNOWN_CA, 99),
    Rule("malformed", D, "RFC 5280 4.1", "the certificate can be read as RFC 5280 has it, to the last field", _REISSUE, rank=95),
    Rule("strict-der", D, "X.690 8 to 11, X.680 41; RFC 5280 4.1",
         "values are written as DER and their types have it: no DEFAULT written out, SET OF in order, strings of their own characters "
         "(not asked of anchors)", _REISSUE, rank=94),
    Rule("presented", D, "RFC 5246 7.4.2", "the peer sends a certificate, and not more or larger ones than make sense",
         "configure the peer to send its certificate and the intermediates, no more", rank=95),
    Rule("unknown-issuer", D, "RFC 5280 6.1", "a path leads to a trust anchor",
         "trust the issuer, or have the peer send the missing intermediate certificate", Alert.UNKNOWN_CA, 90),
    Rule("self-signed", D, "RFC 5280 6.1", "a self-signed certificate is itself a trust anchor",
         "trust this certificate explicitly (pin it), or use one issued by a trusted authority", Alert.UNKNOWN_CA, 91),
    Rule("budget", D, "RFC 4158 2.4", "path building ends within its budgets of steps, signatures and comparisons",
         "send fewer certificates, or issue them without this tangle", Alert.CERTIFICATE_UNKNOWN, 98),
    Rule("chain-length", D, "RFC 5280 6.1", "the path has no more intermediates than allowed here",
         "use a shorter chain, or allow a longer one", rank=60),
    Rule("signature", D, "RFC 5280 6.1.3 (a)(1)", "the issuer's key verifies the signature",
         "send the issuer's current certificate; where it is right, the certificate was altered", rank=88),
    Rule("trusted-leaf", S, "RFC 5280 6.1", "the peer's certificate is issued by an anchor and not itself one",
         "use a certificate issued by an authority", rank=40),
    Rule("trusted-leaf-self-signed", frozenset(), "RFC 5280 6.1", "a leaf that is itself an anchor is self-signed",
         "trust its issuer instead", rank=40),
    Rule("anchor-purpose", D, "RFC 5280 6.2", "an anchor is trusted for the purpose by the settings in its file, where it has any",
         "trust another root, or change the settings of the TRUSTED CERTIFICATE", Alert.UNKNOWN_CA, 74),
    Rule("anchor-validity", D, "RFC 5280 6.1.1 (d)", "the dates of an anchor count as those of any certificate",
         "renew the root", Alert.CERTIFICATE_EXPIRED, 10),
    Rule("anchor-constraints", D, "RFC 5937 3", "an anchor is more than name and key: its extensions bind as those of any CA",
         "trust another root", rank=10),
    # Keys and algorithms
    Rule("algorithm-mismatch", D, "RFC 5280 4.1.1.2", "the signature algorithms inside and outside of what is signed are the same",
         _REISSUE, rank=70),
    Rule("signature-algorithm", D, "RFC 3279, 4055, 5758, 8410", "the signature algorithm is known here",
         "sign with RSA, ECDSA on P-256, P-384 or P-521, or EdDSA", Alert.UNSUPPORTED_CERTIFICATE, 70),
    Rule("sha1", D, "RFC 9155 3, RFC 6194", "no signature relies on SHA-1, whose collisions are made in practice",
         "have it issued again with SHA-256", Alert.UNSUPPORTED_CERTIFICATE, 69),
    Rule("md5", D, "RFC 6151 2", "no signature relies on MD5", "have it issued again with SHA-256",
         Alert.UNSUPPORTED_CERTIFICATE, 69),
    Rule("public-key", D, "RFC 5280 4.1.2.7", "the key is of a kind, curve and form known here, by name and not by parameters",
         "use an RSA key, or one on P-256, P-384, P-521, Ed25519 or Ed448", Alert.UNSUPPORTED_CERTIFICATE, 70),
    Rule("rsa-size", D, "NIST SP 800-131A 3; BR 6.1.5", "RSA keys have at least 2048 bits", "use a key of 2048 to 8192 bits",
         Alert.UNSUPPORTED_CERTIFICATE, 68),
    Rule("rsa-breakable", D, "RFC 3766 5", "RSA keys have at least 1024 bits: smaller ones are factored at home",
         "use a key of 2048 to 8192 bits", Alert.UNSUPPORTED_CERTIFICATE, 68),
    Rule("rsa-too-large", D, "RFC 8017 3.1", "RSA keys have at most 8192 bits and exponents below 2^32: what they cost is bounded",
         "use a key of 2048 to 8192 bits with exponent 65537", Alert.UNSUPPORTED_CERTIFICATE, 68),
    Rule("rsa-modulus-octets", W, "BR 6.1.5", "the size of an RSA modulus is a multiple of 8 bits", "use a 2048, 3072 or 4096 bit key",
         Alert.UNSUPPORTED_CERTIFICATE, 67),
    Rule("webpki-key-kind", W, "BR 6.1.5", "keys are RSA or on P-256, P-384 or P-521", "use an RSA or ECDSA key",
         Alert.UNSUPPORTED_CERTIFICATE, 67),
    # Fields
    Rule("expired", D, "RFC 5280 4.1.2.5", "the time is not after notAfter", "renew the certificate, or check the clock",
         Alert.CERTIFICATE_EXPIRED, 80),
    Rule("not-yet-valid", D, "RFC 5280 4.1.2.5", "the time is not before notBefore", "check the clock, or wait",
         Alert.CERTIFICATE_EXPIRED, 80),
    Rule("time-encoding", S, "RFC 5280 4.1.2.5", "dates through 2049 are UTCTime, later ones GeneralizedTime", _REISSUE, rank=20),
    Rule("version-3", W, "BR 7.1.1", "certificates are of version 3", _REISSUE, rank=30),
    Rule("extensions-need-version-3", D, "RFC 5280 4.1.2.9", "only version 3 has extensions, only 2 and 3 unique identifiers",
         _REISSUE, rank=30),
    Rule("unique-identifiers", S, "RFC 5280 4.1.2.8", "there are no unique identifiers", _REISSUE, rank=20),
    Rule("serial-number", S, "RFC 5280 4.1.2.2", "serial numbers are positive (0 is borne in roots) and of at most 20 octets",
         _REISSUE, rank=25),
    Rule("empty-issuer", D, "RFC 5280 4.1.2.4", "the issuer has a name", _REISSUE, rank=40),
    Rule("empty-subject", D, "RFC 5280 4.1.2.6", "a leaf has a name: a subject, or else subjectAltName", _REISSUE, rank=42),
    Rule("empty-subject-ca", S, "RFC 5280 4.1.2.6", "a CA has a name", _REISSUE_CA, rank=40),
    # Extensions in general
    Rule("duplicate-extension", D, "RFC 5280 4.2", "no extension appears twice", _REISSUE, rank=55),
    Rule("unknown-critical-extension", D, "RFC 5280 4.2", "every critical extension is understood and processed",
         "issue without the extension, or not critical", Alert.UNSUPPORTED_CERTIFICATE, 56),
    Rule("must-not-be-critical", S, "RFC 5280 4.2.1.1, .2, .8, .15, 4.2.2", "key identifiers and pointers are not critical",
         _REISSUE, rank=20),
    Rule("must-be-critical", S, "RFC 5280 4.2.1.11, .14", "policyConstraints and inhibitAnyPolicy are critical", _REISSUE, rank=20),
    # Authorities
    Rule("not-a-ca", D, "RFC 5280 4.2.1.9", "an issuer says cA in basicConstraints",
         "the certificate may not issue others: use one issued by an authority", rank=75),
    Rule("root-basic-constraints", D, "RFC 5280 4.2.1.9", "a root of version 3 has basicConstraints too", _REISSUE_CA, rank=73),
    Rule("version-3-root", S, "RFC 5280 4.2.1.9", "a root is of version 3, with basicConstraints", _REISSUE_CA, rank=35),
    Rule("basic-constraints-critical", S, "RFC 5280 4.2.1.9", "basicConstraints is critical in a CA", _REISSUE_CA, rank=20),
    Rule("path-length", D, "RFC 5280 4.2.1.9", "no more CAs follow than pathLenConstraint allows",
         "issue from a CA that may have sub-CAs", rank=62),
    Rule("path-length-field", S, "RFC 5280 4.2.1.9", "pathLenConstraint only with cA and keyCertSign", _REISSUE, rank=20),
    Rule("key-cert-sign", D, "RFC 5280 4.2.1.3", "the keyUsage of an issuer, where present, has keyCertSign", _REISSUE_CA, rank=74),
    Rule("ca-key-usage", S, "RFC 5280 4.2.1.3", "a CA below the anchor has keyUsage", _REISSUE_CA, rank=20),
    Rule("subject-key-identifier", S, "RFC 5280 4.2.1.2", "a CA has subjectKeyIdentifier", _REISSUE_CA, rank=15),
    Rule("authority-key-identifier", S, "RFC 5280 4.2.1.1", "all but self-signed certificates have an authority keyIdentifier",
         _REISSUE, rank=15),
    Rule("key-identifier-match", S, "RFC 5280 4.2.1.2", "the authority keyIdentifier is the subjectKeyIdentifier of the issuer",
         _REISSUE, rank=15),
    Rule("authority-key-pair", S, "RFC 5280 4.2.1.1", "authorityCertIssuer and authorityCertSerialNumber come together",
         _REISSUE, rank=15),
    Rule("root-authority-key", W, "BR 7.1.2.1.3", "a root's authorityKeyIdentifier is its own keyIdentifier and nothing else",
         _REISSUE_CA, rank=15),
    Rule("root-extended-key-usage", W, "BR 7.1.2.1.2", "a root has no extKeyUsage", _REISSUE_CA, rank=15),
    # The leaf
    Rule("key-usage", W, "BR 7.1.2.7.11", "the leaf's keyUsage allows something that TLS does (which of them, the handshake sees to)",
         "have it issued with digitalSignature (and keyEncipherment for RSA key exchange)", Alert.UNSUPPORTED_CERTIFICATE, 64),
    Rule("requested-key-usage", D, "RFC 5280 4.2.1.3", "the leaf's keyUsage, where present, has the bits that were asked for",
         "use a certificate that was issued for this", Alert.UNSUPPORTED_CERTIFICATE, 64),
    Rule("leaf-key-cert-sign", S, "RFC 5280 4.2.1.9", "keyCertSign only with cA", _REISSUE, rank=30),
    Rule("empty-key-usage", S, "RFC 5280 4.2.1.3", "keyUsage sets at least one bit", _REISSUE, rank=20),
    Rule("key-usage-padding", S, "X.690 11.2.2", "keyUsage has no trailing zero bits (roots in use do)", _REISSUE, rank=20),
    Rule("ca-as-leaf", W, "BR 7.1.2.7.8", "a CA is not used as a server", "use an end-entity certificate", rank=45),
    Rule("extended-key-usage", D, "RFC 5280 4.2.1.12", "the leaf's extKeyUsage, where present, allows the purpose",
         "use a certificate that was issued for this purpose", Alert.UNSUPPORTED_CERTIFICATE, 72),
    Rule("ca-extended-key-usage", D, "BR 7.1.2.10.6", "extKeyUsage of a CA, where present, allows the purpose of what is below it",
         "use a certificate issued by a CA for this purpose", Alert.UNSUPPORTED_CERTIFICATE, 71),
    Rule("webpki-extended-key-usage", W, "BR 7.1.2.7.10", "the leaf has extKeyUsage, not critical, for TLS and nothing that excludes",
         _REISSUE, Alert.UNSUPPORTED_CERTIFICATE, 30),
    Rule("explicit-extended-key-usage", W, "BR 7.1.2.10.6", "extKeyUsage names the purpose; anyExtendedKeyUsage does not count",
         _REISSUE_CA, Alert.UNSUPPORTED_CERTIFICATE, 30),
    Rule("sole-extended-key-usage", frozenset(), "RFC 5280 4.2.1.12", "extKeyUsage, where present, names the purpose and no other",
         "have it issued for this purpose alone", Alert.UNSUPPORTED_CERTIFICATE, 30),
    Rule("required-extended-key-usage", frozenset(), "BR 7.1.2.10.6", "intermediate CAs have extKeyUsage",
         _REISSUE_CA, Alert.UNSUPPORTED_CERTIFICATE, 30),
    Rule("must-staple", D, "RFC 7633 4.2.2", "a certificate with the feature status_request comes with an OCSP response",
         "configure the server to staple OCSP responses", Alert.BAD_CERTIFICATE_STATUS_RESPONSE, 66),
    # Names
    Rule("wrong-host", D, "RFC 9525 6", "the server's name is in subjectAltName",
         "connect by a name that the certificate has, or have it issued with this one",
         Alert.BAD_CERTIFICATE, 78),
    Rule("wrong-name", D, "RFC 5280 4.2.1.6", "the names expected of the client are in subjectAltName",
         "use a certificate with these names", Alert.BAD_CERTIFICATE, 78),
    Rule("san-missing", W, "BR 7.1.2.7.12", "a leaf has subjectAltName", _REISSUE, rank=42),
    Rule("san-critical", S, "RFC 5280 4.1.2.6", "subjectAltName is critical where the subject is empty", _REISSUE, rank=20),
    Rule("san-not-critical", W, "BR 7.1.2.7.12", "subjectAltName is not critical where the subject is not empty", _REISSUE, rank=20),
    Rule("san-malformed", D, "RFC 5280 4.2.1.6", "DNS names are sequences of labels, an asterisk at most alone in the first",
         _REISSUE, rank=48),
    Rule("san-syntax", S, "RFC 5280 4.2.1.6", "the names in subjectAltName are well-formed, and no DNS name is an address",
         _REISSUE, rank=28),
    Rule("public-suffix-wildcard", W, "BR 3.2.2.6", "a wildcard covers no top-level domain", _REISSUE, rank=28),
    # Constraints
    Rule("name-constraints", D, "RFC 5280 4.2.1.10", "all names are within what the CAs above permit and exclude",
         "have it issued by a CA that may issue these names", rank=65),
    Rule("name-constraints-unprocessable", D, "RFC 5280 4.2.1.10", "constraints and the names they apply to can be compared",
         "issue the CA with constraints on DNS, IP, mail, URI or directory names", rank=65),
    Rule("name-constraints-critical", S_ONLY, "RFC 5280 4.2.1.10", "nameConstraints is critical (BR 7.1.2.5.2 lets it be)",
         _REISSUE_CA, rank=20),
    Rule("name-constraints-form", S, "RFC 5280 4.2.1.10; BR 7.1.2.5.2", "nameConstraints: in CAs only, not empty, DNS without leading dot",
         _REISSUE, rank=22),
    Rule("policy", D, "RFC 5280 6.1", "a certificate policy that is required is valid along the path",
         "use a certificate issued under an acceptable policy", rank=63),
    # Revocation
    Rule("revoked", D, "RFC 5280 6.3, RFC 6960 2.2", "the issuer has not revoked the certificate",
         "replace the certificate and its key", Alert.CERTIFICATE_REVOKED, 85),
    Rule("revocation-unknown", D, "RFC 5280 6.3, RFC 6960 3.2", "the revocation status is known where it is asked for",
         "supply a current CRL or OCSP response of the issuer", Alert.CERTIFICATE_UNKNOWN, 61),
    Rule("crl-number", D, "RFC 5280 5.2.3", "a CRL with authorityKeyIdentifier, hence of this profile, has a number",
         "have the CRL issued with a number", Alert.CERTIFICATE_UNKNOWN, 61),
    Rule("crl-extensions", S, "RFC 5280 5.2", "every CRL has authorityKeyIdentifier and cRLNumber",
         "have the CRL issued with both", Alert.CERTIFICATE_UNKNOWN, 61),
)  # fmt: skip

RULES: dict[str, Rule] = {rule.id: rule for rule in TABLE}


FIXED = frozenset({"anchors", "malformed", "presented", "unknown-issuer", "self-signed", "budget", "signature"})
"""What no switch takes away: without these there is no validation."""


def profile(name: str, without: Iterable[str] = (), extra: Iterable[str] = ()) -> frozenset[str]:
    """The ids of the rules of a profile, less those in `without`, plus those in `extra`.

    Raises `UsageError` for an unknown name, and for a rule in `without` that is `FIXED`.
    """
    if name not in (DEFAULT, STRICT, WEBPKI):
        raise UsageError(f"no profile {name!r}: there are {DEFAULT}, {STRICT} and {WEBPKI}")
    dropped = frozenset(without)
    unknown = {*dropped, *extra} - RULES.keys()
    if unknown:
        raise UsageError(f"no rule {min(unknown)!r}; the rules are {', '.join(RULES)}")
    if dropped & FIXED:
        raise UsageError(f"the rule {min(dropped & FIXED)!r} is what validation is, and cannot be switched off")
    return frozenset(r.id for r in TABLE if name in r.profiles) - dropped | frozenset(extra)
