"""Object identifiers: content bytes are the value everywhere; dotted text and names are for people.

Compared as bytes, an identifier of any size costs nothing; only `dotted` turns arcs into numbers, and it bounds them first.
"""

from __future__ import annotations

_MAX_ARC_OCTETS = 19
"""2^128, the arcs of UUID-based identifiers (X.667), needs 19 octets of seven bits. `str` of any number is quadratic."""


def encode_oid(text: str) -> bytes:
    """Content bytes of dotted text such as "2.5.29.17" (X.690 8.19). Raises ValueError for text that is no identifier."""
    first, second, *rest = (int(arc) for arc in text.split("."))
    if not 0 <= first <= 2 or second < 0 or (first < 2 and second > 39) or any(arc < 0 for arc in rest):
        raise ValueError(f"not an object identifier: {text}")
    out = bytearray()
    for arc in (40 * first + second, *rest):
        octets = [arc & 0x7F]
        while arc := arc >> 7:
            octets.append(arc & 0x7F | 0x80)
        out += bytes(reversed(octets))
    return bytes(out)


def dotted(content: bytes) -> str:
    """Dotted text of content bytes; hexadecimal where an arc is larger than any in use."""
    arcs: list[int] = []
    value = count = 0
    for octet in content:
        value = value << 7 | octet & 0x7F
        count += 1
        if count > _MAX_ARC_OCTETS:
            return "oid:" + content.hex()
        if octet < 0x80:
            arcs.append(value)
            value = count = 0
    if not arcs or count:
        return "oid:" + content.hex()
    first = min(arcs[0] // 40, 2)
    return ".".join(str(arc) for arc in (first, arcs[0] - 40 * first, *arcs[1:]))


def describe(content: bytes) -> str:
    """The name where it is known, else dotted text."""
    return NAMES.get(content) or dotted(content)


NAMES: dict[bytes, str] = {}
"""Content bytes -> the name in its RFC."""


def _named(text: str, name: str) -> bytes:
    content = encode_oid(text)
    NAMES[content] = name
    return content


# Attribute types (X.520; RFC 4519, RFC 5280 appendix A)
COMMON_NAME = _named("2.5.4.3", "commonName")
SURNAME = _named("2.5.4.4", "surname")
SERIAL_NUMBER = _named("2.5.4.5", "serialNumber")
COUNTRY = _named("2.5.4.6", "countryName")
LOCALITY = _named("2.5.4.7", "localityName")
STATE = _named("2.5.4.8", "stateOrProvinceName")
STREET = _named("2.5.4.9", "streetAddress")
ORGANIZATION = _named("2.5.4.10", "organizationName")
ORGANIZATIONAL_UNIT = _named("2.5.4.11", "organizationalUnitName")
TITLE = _named("2.5.4.12", "title")
BUSINESS_CATEGORY = _named("2.5.4.15", "businessCategory")
POSTAL_CODE = _named("2.5.4.17", "postalCode")
NAME = _named("2.5.4.41", "name")
GIVEN_NAME = _named("2.5.4.42", "givenName")
INITIALS = _named("2.5.4.43", "initials")
GENERATION_QUALIFIER = _named("2.5.4.44", "generationQualifier")
DN_QUALIFIER = _named("2.5.4.46", "dnQualifier")
PSEUDONYM = _named("2.5.4.65", "pseudonym")
ORGANIZATION_IDENTIFIER = _named("2.5.4.97", "organizationIdentifier")
USER_ID = _named("0.9.2342.19200300.100.1.1", "userId")
DOMAIN_COMPONENT = _named("0.9.2342.19200300.100.1.25", "domainComponent")
EMAIL_ADDRESS = _named("1.2.840.113549.1.9.1", "emailAddress")
JURISDICTION_LOCALITY = _named("1.3.6.1.4.1.311.60.2.1.1", "jurisdictionLocalityName")
JURISDICTION_STATE = _named("1.3.6.1.4.1.311.60.2.1.2", "jurisdictionStateOrProvinceName")
JURISDICTION_COUNTRY = _named("1.3.6.1.4.1.311.60.2.1.3", "jurisdictionCountryName")

# Certificate and CRL extensions (RFC 5280 4.2, 5.2, 5.3)
SUBJECT_DIRECTORY_ATTRIBUTES = _named("2.5.29.9", "subjectDirectoryAttributes")
SUBJECT_KEY_IDENTIFIER = _named("2.5.29.14", "subjectKeyIdentifier")
KEY_USAGE = _named("2.5.29.15", "keyUsage")
PRIVATE_KEY_USAGE_PERIOD = _named("2.5.29.16", "privateKeyUsagePeriod")
SUBJECT_ALT_NAME = _named("2.5.29.17", "subjectAltName")
ISSUER_ALT_NAME = _named("2.5.29.18", "issuerAltName")
BASIC_CONSTRAINTS = _named("2.5.29.19", "basicConstraints")
CRL_NUMBER = _named("2.5.29.20", "cRLNumber")
CRL_REASON = _named("2.5.29.21", "cRLReason")
HOLD_INSTRUCTION_CODE = _named("2.5.29.23", "holdInstructionCode")
INVALIDITY_DATE = _named("2.5.29.24", "invalidityDate")
DELTA_CRL_INDICATOR = _named("2.5.29.27", "deltaCRLIndicator")
ISSUING_DISTRIBUTION_POINT = _named("2.5.29.28", "issuingDistributionPoint")
CERTIFICATE_ISSUER = _named("2.5.29.29", "certificateIssuer")
NAME_CONSTRAINTS = _named("2.5.29.30", "nameConstraints")
CRL_DISTRIBUTION_POINTS = _named("2.5.29.31", "cRLDistributionPoints")
CERTIFICATE_POLICIES = _named("2.5.29.32", "certificatePolicies")
ANY_POLICY = _named("2.5.29.32.0", "anyPolicy")
POLICY_MAPPINGS = _named("2.5.29.33", "policyMappings")
AUTHORITY_KEY_IDENTIFIER = _named("2.5.29.35", "authorityKeyIdentifier")
POLICY_CONSTRAINTS = _named("2.5.29.36", "policyConstraints")
EXTENDED_KEY_USAGE = _named("2.5.29.37", "extKeyUsage")
ANY_EXTENDED_KEY_USAGE = _named("2.5.29.37.0", "anyExtendedKeyUsage")
FRESHEST_CRL = _named("2.5.29.46", "freshestCRL")
INHIBIT_ANY_POLICY = _named("2.5.29.54", "inhibitAnyPolicy")
AUTHORITY_INFO_ACCESS = _named("1.3.6.1.5.5.7.1.1", "authorityInfoAccess")
SUBJECT_INFO_ACCESS = _named("1.3.6.1.5.5.7.1.11", "subjectInfoAccess")
TLS_FEATURE = _named("1.3.6.1.5.5.7.1.24", "tlsfeature")
CT_PRECERTIFICATE_SCTS = _named("1.3.6.1.4.1.11129.2.4.2", "signedCertificateTimestampList")
CT_POISON = _named("1.3.6.1.4.1.11129.2.4.3", "ctPoison")
NETSCAPE_CERT_TYPE = _named("2.16.840.1.113730.1.1", "netscapeCertType")
NETSCAPE_COMMENT = _named("2.16.840.1.113730.1.13", "netscapeComment")

MS_APPLICATION_POLICIES = _named("1.3.6.1.4.1.311.21.10", "msApplicationPolicies")
MS_ANY_APPLICATION_POLICY = _named("1.3.6.1.4.1.311.10.12.1", "msAnyApplicationPolicy")

# Qualifiers, access methods
QUALIFIER_CPS = _named("1.3.6.1.5.5.7.2.1", "id-qt-cps")
QUALIFIER_USER_NOTICE = _named("1.3.6.1.5.5.7.2.2", "id-qt-unotice")
ACCESS_OCSP = _named("1.3.6.1.5.5.7.48.1", "id-ad-ocsp")
ACCESS_CA_ISSUERS = _named("1.3.6.1.5.5.7.48.2", "id-ad-caIssuers")
ACCESS_TIME_STAMPING = _named("1.3.6.1.5.5.7.48.3", "id-ad-timeStamping")
ACCESS_CA_REPOSITORY = _named("1.3.6.1.5.5.7.48.5", "id-ad-caRepository")

# Extended key usages (RFC 5280 4.2.1.12)
SERVER_AUTH = _named("1.3.6.1.5.5.7.3.1", "serverAuth")
CLIENT_AUTH = _named("1.3.6.1.5.5.7.3.2", "clientAuth")
CODE_SIGNING = _named("1.3.6.1.5.5.7.3.3", "codeSigning")
EMAIL_PROTECTION = _named("1.3.6.1.5.5.7.3.4", "emailProtection")
TIME_STAMPING = _named("1.3.6.1.5.5.7.3.8", "timeStamping")
OCSP_SIGNING = _named("1.3.6.1.5.5.7.3.9", "OCSPSigning")
SMTP_UTF8_MAILBOX = _named("1.3.6.1.5.5.7.8.9", "SmtpUTF8Mailbox")

# Keys and signatures (RFC 3279, 4055, 5480, 8410)
RSA_ENCRYPTION = _named("1.2.840.113549.1.1.1", "rsaEncryption")
MD2_WITH_RSA = _named("1.2.840.113549.1.1.2", "md2WithRSAEncryption")
MD5_WITH_RSA = _named("1.2.840.113549.1.1.4", "md5WithRSAEncryption")
SHA1_WITH_RSA = _named("1.2.840.113549.1.1.5", "sha1WithRSAEncryption")
RSAES_OAEP = _named("1.2.840.113549.1.1.7", "id-RSAES-OAEP")
MGF1 = _named("1.2.840.113549.1.1.8", "id-mgf1")
RSASSA_PSS = _named("1.2.840.113549.1.1.10", "id-RSASSA-PSS")
SHA256_WITH_RSA = _named("1.2.840.113549.1.1.11", "sha256WithRSAEncryption")
SHA384_WITH_RSA = _named("1.2.840.113549.1.1.12", "sha384WithRSAEncryption")
SHA512_WITH_RSA = _named("1.2.840.113549.1.1.13", "sha512WithRSAEncryption")
SHA224_WITH_RSA = _named("1.2.840.113549.1.1.14", "sha224WithRSAEncryption")
EC_PUBLIC_KEY = _named("1.2.840.10045.2.1", "id-ecPublicKey")
ECDSA_WITH_SHA1 = _named("1.2.840.10045.4.1", "ecdsa-with-SHA1")
ECDSA_WITH_SHA224 = _named("1.2.840.10045.4.3.1", "ecdsa-with-SHA224")
ECDSA_WITH_SHA256 = _named("1.2.840.10045.4.3.2", "ecdsa-with-SHA256")
ECDSA_WITH_SHA384 = _named("1.2.840.10045.4.3.3", "ecdsa-with-SHA384")
ECDSA_WITH_SHA512 = _named("1.2.840.10045.4.3.4", "ecdsa-with-SHA512")
SECP192R1 = _named("1.2.840.10045.3.1.1", "secp192r1")
SECP256R1 = _named("1.2.840.10045.3.1.7", "secp256r1")
SECP224R1 = _named("1.3.132.0.33", "secp224r1")
SECP384R1 = _named("1.3.132.0.34", "secp384r1")
SECP521R1 = _named("1.3.132.0.35", "secp521r1")
SECP256K1 = _named("1.3.132.0.10", "secp256k1")
X25519 = _named("1.3.101.110", "id-X25519")
X448 = _named("1.3.101.111", "id-X448")
ED25519 = _named("1.3.101.112", "id-Ed25519")
ED448 = _named("1.3.101.113", "id-Ed448")
DSA = _named("1.2.840.10040.4.1", "id-dsa")
DSA_WITH_SHA1 = _named("1.2.840.10040.4.3", "id-dsa-with-sha1")
DSA_WITH_SHA256 = _named("2.16.840.1.101.3.4.3.2", "id-dsa-with-sha256")

# Hashes and MACs
MD5 = _named("1.2.840.113549.2.5", "md5")
SHA1 = _named("1.3.14.3.2.26", "sha1")
SHA224 = _named("2.16.840.1.101.3.4.2.4", "sha224")
SHA256 = _named("2.16.840.1.101.3.4.2.1", "sha256")
SHA384 = _named("2.16.840.1.101.3.4.2.2", "sha384")
SHA512 = _named("2.16.840.1.101.3.4.2.3", "sha512")
HASH_NAMES = {MD5: "md5", SHA1: "sha1", SHA224: "sha224", SHA256: "sha256", SHA384: "sha384", SHA512: "sha512"}
"""Names for `hashlib.new`."""
HMAC_SHA1 = _named("1.2.840.113549.2.7", "hmacWithSHA1")
HMAC_SHA224 = _named("1.2.840.113549.2.8", "hmacWithSHA224")
HMAC_SHA256 = _named("1.2.840.113549.2.9", "hmacWithSHA256")
HMAC_SHA384 = _named("1.2.840.113549.2.10", "hmacWithSHA384")
HMAC_SHA512 = _named("1.2.840.113549.2.11", "hmacWithSHA512")

# Key encryption and PKCS#12 (RFC 8018, 7292, 5652, 2985)
PBES2 = _named("1.2.840.113549.1.5.13", "PBES2")
PBKDF2 = _named("1.2.840.113549.1.5.12", "PBKDF2")
SCRYPT = _named("1.3.6.1.4.1.11591.4.11", "id-scrypt")
AES128_CBC = _named("2.16.840.1.101.3.4.1.2", "aes128-CBC")
AES192_CBC = _named("2.16.840.1.101.3.4.1.22", "aes192-CBC")
AES256_CBC = _named("2.16.840.1.101.3.4.1.42", "aes256-CBC")
DES_EDE3_CBC = _named("1.2.840.113549.3.7", "des-EDE3-CBC")
PBE_SHA_3DES = _named("1.2.840.113549.1.12.1.3", "pbeWithSHAAnd3-KeyTripleDES-CBC")
PBE_SHA_RC2_40 = _named("1.2.840.113549.1.12.1.6", "pbeWithSHAAnd40BitRC2-CBC")
PKCS7_DATA = _named("1.2.840.113549.1.7.1", "id-data")
PKCS7_SIGNED_DATA = _named("1.2.840.113549.1.7.2", "id-signedData")
PKCS7_ENCRYPTED_DATA = _named("1.2.840.113549.1.7.6", "id-encryptedData")
KEY_BAG = _named("1.2.840.113549.1.12.10.1.1", "keyBag")
SHROUDED_KEY_BAG = _named("1.2.840.113549.1.12.10.1.2", "pkcs8ShroudedKeyBag")
CERT_BAG = _named("1.2.840.113549.1.12.10.1.3", "certBag")
CRL_BAG = _named("1.2.840.113549.1.12.10.1.4", "crlBag")
SAFE_CONTENTS_BAG = _named("1.2.840.113549.1.12.10.1.6", "safeContentsBag")
X509_CERTIFICATE_BAG = _named("1.2.840.113549.1.9.22.1", "x509Certificate")
FRIENDLY_NAME = _named("1.2.840.113549.1.9.20", "friendlyName")
LOCAL_KEY_ID = _named("1.2.840.113549.1.9.21", "localKeyId")

# OCSP (RFC 6960)
OCSP_BASIC = _named("1.3.6.1.5.5.7.48.1.1", "id-pkix-ocsp-basic")
OCSP_NONCE = _named("1.3.6.1.5.5.7.48.1.2", "id-pkix-ocsp-nonce")
OCSP_NO_CHECK = _named("1.3.6.1.5.5.7.48.1.5", "id-pkix-ocsp-nocheck")
OCSP_ARCHIVE_CUTOFF = _named("1.3.6.1.5.5.7.48.1.6", "id-pkix-ocsp-archive-cutoff")
