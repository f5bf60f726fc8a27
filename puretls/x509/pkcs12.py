"""PKCS#12 files, read: a key with its certificates behind a password (RFC 7292).

Strict DER only: files in BER with indefinite lengths are refused.
"""

from __future__ import annotations

import hmac
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from puretls.crypto.keys import PrivateKey
from puretls.crypto.provider import Provider
from puretls.crypto.secret import leaving_no_frames
from puretls.der import oids, tags
from puretls.der.reader import Reader
from puretls.errors import DecodeError, UsageError
from puretls.spans import Span
from puretls.values import frozen
from puretls.x509.certificates.certificate import Certificate
from puretls.x509.keys import encryption, key_fits, parse_private_key, pbkdf

ROOT = "PFX"
MAX_FILE = 1 << 24
MAX_BAGS, MAX_NESTING = 256, 4
MAX_WORK = 20_000_000
"""Rounds of hashing for one file (`pbkdf.rounds`): a hostile one could make each of its bags as dear as allowed.

Enough for a key and a chain of four as GnuTLS writes them in its dearest form, `3des-pkcs12`: 600,000 iterations for the key
and for each certificate, three blocks of them each, 600,000 for the MAC, and a round in Python counts twice: 19,200,000.
"""


def most_rounds(size: int) -> int:
    """`MAX_WORK`, or less for a file of few bytes: what its maker can make us do goes with its size."""
    return min(MAX_WORK, 1_000_000 + 8000 * size)


@frozen
class Pkcs12:
    """What a file holds. `certificate`: of the key, DER; `others`: its chain or whatever else came along, in the file's order."""

    key: PrivateKey | None
    certificate: bytes | None
    others: tuple[bytes, ...]
    friendly_name: str | None = None

    @property
    def chain(self) -> tuple[bytes, ...]:
        """All certificates, that of the key first."""
        return self.others if self.certificate is None else (self.certificate, *self.others)


@frozen
class _Bag:
    kind: bytes
    value: bytes
    friendly_name: str | None = None


@dataclass(slots=True)
class _Opening:
    """One reading of a file: password, provider, and the bags found so far."""

    password: str | None = field(repr=False)
    provider: Provider
    most: int
    """Rounds of hashing that the file may demand; `rounds` are those spent on it."""
    bags: list[_Bag] = field(default_factory=list)
    rounds: int = 0

    def spend(self, rounds: int) -> None:
        """Raises `DecodeError` for a file that demands more than it may altogether."""
        self.rounds += rounds
        if self.rounds > self.most:
            raise DecodeError(f"more than {self.most} rounds of hashing in one file", path=ROOT, rfc="RFC 8018 4.2")

    def decrypt(self, recipe: encryption.Recipe, ciphertext: bytes) -> bytes:
        """The plaintext. Raises as `spend` does, before anything is derived."""
        self.spend(recipe.rounds)
        return encryption.decrypt(recipe, self.password, ciphertext, self.provider)


@leaving_no_frames
def parse_pkcs12(
    data: bytes, password: str | None = None, provider: Provider | None = None, *, sink: list[Span] | None = None
) -> Pkcs12:
    """The content of a file. Without a password both the empty one and none at all are tried.

    A `sink` gets spans of the file; what is encrypted stays one span.

    Raises `DecodeError` for bad DER or methods that are not supported, `UsageError` for a wrong password.
    """
    if len(data) > MAX_FILE:
        raise DecodeError(f"PKCS#12 file of {len(data)} bytes, more than {MAX_FILE}", path=ROOT)
    if provider is None:
        from puretls.crypto.provider import default

        provider = default()
    if password:
        return _parsed(data, _Opening(password, provider, most_rounds(len(data))), sink)
    first = _Opening("", provider, most_rounds(len(data)))
    try:
        return _parsed(data, first, sink)
    except UsageError:
        if sink is not None:
            sink.clear()
        return _parsed(data, _Opening(None, provider, first.most, rounds=first.rounds), sink)


def _parsed(data: bytes, opening: _Opening, sink: list[Span] | None) -> Pkcs12:
    top = Reader(data, name=ROOT, sink=sink)
    pfx = top.enter()
    top.done()
    if pfx.small("version", limit=256) != 3:
        raise pfx.error("version other than 3", "version", rfc="RFC 7292 4")
    safe = _content(pfx, "auth_safe")
    if pfx.more:  # looked at first, and read once more in its place, so that spans come in order
        ahead = Reader(data, pfx.at, pfx.end, name=ROOT)
        _check_mac(_read_mac(ahead.enter(name="mac_data")), data[safe.at : safe.end], opening)
    infos = safe.enter(name="AuthenticatedSafe")
    safe.done()
    while infos.more:
        _read_info(infos, opening)
    if pfx.more:
        _read_mac(pfx.enter(name="mac_data"))
    pfx.done()
    return _gathered(opening.bags, opening.provider)


def _content(outer: Reader, name: str) -> Reader:
    """The inside of a ContentInfo of type data (RFC 5652 3)."""
    info = outer.enter(name=name)
    kind = info.oid("content_type")
    if kind != oids.PKCS7_DATA:
        raise info.error(f"content of type {oids.describe(kind)} is not supported", "content_type", rfc="RFC 7292 4")
    wrapper = info.enter(tags.explicit(0), "content")
    info.done()
    inner = wrapper.inside_octets("data")
    wrapper.done()
    return inner


class _Mac(NamedTuple):
    """MacData (RFC 7292 4); `hash` a name for `hashlib.new`."""

    hash: str
    digest: bytes
    salt: bytes
    iterations: int


def _read_mac(mac_data: Reader) -> _Mac:
    digest_info = mac_data.enter(name="mac")
    algorithm = digest_info.enter(name="digest_algorithm")
    oid = algorithm.oid("algorithm")
    if oid not in oids.HASH_NAMES:
        raise algorithm.error(f"a MAC with {oids.describe(oid)} is not supported", "algorithm")
    if algorithm.more:
        algorithm.null("parameters")
    algorithm.done()
    digest = digest_info.octets("digest")
    digest_info.done()
    salt = mac_data.octets("mac_salt")
    iterations = pbkdf.check_iterations(mac_data.small("iterations"), mac_data.path) if mac_data.more else 1
    mac_data.done()
    return _Mac(oids.HASH_NAMES[oid], digest, salt, iterations)


def _check_mac(mac: _Mac, content: bytes, opening: _Opening) -> None:
    """RFC 7292 B: HMAC with a key from the password. Raises `UsageError` where it differs."""
    size = len(hmac.digest(b"", b"", mac.hash))
    opening.spend(pbkdf.pkcs12_rounds(mac.hash, mac.iterations, size))
    key = pbkdf.pkcs12_kdf(mac.hash, pbkdf.bmp_password(opening.password), mac.salt, mac.iterations, size, pbkdf.PKCS12_MAC)
    if not hmac.compare_digest(hmac.digest(key, content, mac.hash), mac.digest):
        raise UsageError(encryption.WRONG_PASSWORD)


def _read_info(infos: Reader, opening: _Opening) -> None:
    """One ContentInfo of the AuthenticatedSafe: SafeContents in the clear or encrypted."""
    info = infos.enter(name="ContentInfo")
    kind = info.oid("content_type")
    wrapper = info.enter(tags.explicit(0), "content")
    info.done()
    if kind == oids.PKCS7_DATA:
        inner = wrapper.inside_octets("data")
    elif kind == oids.PKCS7_ENCRYPTED_DATA:
        inner = Reader(_decrypted(wrapper, opening), name="SafeContents")
    else:
        raise info.error(f"content of type {oids.describe(kind)} is not supported", "content_type", rfc="RFC 7292 4.1")
    wrapper.done()
    _read_bags(inner, opening, MAX_NESTING)


def _decrypted(wrapper: Reader, opening: _Opening) -> bytes:
    """EncryptedData (RFC 5652 8)."""
    encrypted = wrapper.enter(name="EncryptedData")
    encrypted.small("version", limit=8)
    content = encrypted.enter(name="encrypted_content_info")
    content.oid("content_type")
    recipe = encryption.read_recipe(content, "content_encryption_algorithm")
    ciphertext = content.octets("encrypted_content", tags.context(0))
    content.done()
    encrypted.done()
    return opening.decrypt(recipe, ciphertext)


def _read_bags(inner: Reader, opening: _Opening, nesting: int) -> None:
    contents = inner.enter(name="SafeContents")
    inner.done()
    while contents.more:
        if len(opening.bags) == MAX_BAGS or not nesting:
            raise contents.error(f"more than {MAX_BAGS} bags, or bags {MAX_NESTING} deep in bags")
        _read_bag(contents, opening, nesting)


def _read_bag(contents: Reader, opening: _Opening, nesting: int) -> None:
    bag = contents.enter(name="SafeBag")
    kind = bag.oid("bag_id")
    wrapper = bag.enter(tags.explicit(0), "bag_value")
    value = b""
    if kind == oids.SAFE_CONTENTS_BAG:
        _read_bags(wrapper, opening, nesting - 1)
    else:
        value = wrapper.raw("private_key" if kind == oids.KEY_BAG else "value")
    wrapper.done()
    attributes = dict(_attributes(bag)) if bag.more else {}
    bag.done()
    if kind == oids.SAFE_CONTENTS_BAG:
        return
    name = attributes.get(oids.FRIENDLY_NAME)
    opening.bags.append(_Bag(*_unpacked(kind, value, opening), _bmp_text(name)))


def _unpacked(kind: bytes, value: bytes, opening: _Opening) -> tuple[bytes, bytes]:
    """A bag's kind and content: shrouded keys opened, certificates out of their wrapping; others as they are."""
    if kind == oids.SHROUDED_KEY_BAG:
        return oids.KEY_BAG, _open_key(value, opening)
    if kind != oids.CERT_BAG:
        return kind, value
    cert_bag = Reader(value, name="CertBag").enter()
    cert_kind = cert_bag.oid("cert_id")
    if cert_kind != oids.X509_CERTIFICATE_BAG:
        raise cert_bag.error(f"certificates of type {oids.describe(cert_kind)} are not supported", "cert_id")
    wrapper = cert_bag.enter(tags.explicit(0), "cert_value")
    content = wrapper.octets("x509Certificate")
    wrapper.done()
    cert_bag.done()
    return kind, content


def _open_key(value: bytes, opening: _Opening) -> bytes:
    """The PrivateKeyInfo in an EncryptedPrivateKeyInfo."""
    info = Reader(value, name="EncryptedPrivateKeyInfo").enter()
    recipe = encryption.read_recipe(info)
    ciphertext = info.octets("encrypted_data")
    info.done()
    return opening.decrypt(recipe, ciphertext)


def _attributes(bag: Reader) -> Iterator[tuple[bytes, bytes]]:
    """PKCS12Attribute: identifier, and the content of the first value."""
    listed = bag.enter(tags.SET, "bag_attributes")
    while listed.more:
        attribute = listed.enter(name="attribute")
        kind = attribute.oid("attr_id")
        values = attribute.enter(tags.SET, "attr_values")
        attribute.done()
        found = []
        while values.more:
            found.append(values.octets("value", values.peek()))
        yield kind, found[0] if found else b""


def _bmp_text(content: bytes | None) -> str | None:
    return None if content is None else content.decode("utf-16-be", "replace")


def _gathered(bags: list[_Bag], provider: Provider) -> Pkcs12:
    """The first key, the certificate that fits it, and the rest."""
    certificates = [bag for bag in bags if bag.kind == oids.CERT_BAG]
    key_bag = next((bag for bag in bags if bag.kind == oids.KEY_BAG), None)
    if key_bag is None:
        return Pkcs12(None, None, tuple(bag.value for bag in certificates))
    key = parse_private_key(key_bag.value, provider=provider)
    own = next((bag for bag in certificates if _fits(bag.value, key)), None)
    others = tuple(bag.value for bag in certificates if bag is not own)
    return Pkcs12(key, own.value if own else None, others, key_bag.friendly_name or (own.friendly_name if own else None))


def _fits(certificate: bytes, key: PrivateKey) -> bool:
    try:
        return key_fits(Certificate.read(certificate).public_key, key)
    except DecodeError:
        return False
