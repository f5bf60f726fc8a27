"""Record protection in every form: what is sealed opens, what was touched does not, batches equal one by one."""

import hashlib
import hmac
from dataclasses import dataclass

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from puretls import danger
from puretls.crypto.aead import AEAD_ALGORITHMS, AES_128_CCM_8, AES_128_GCM, CHACHA20_POLY1305
from puretls.crypto.bulk import kernel_aead, kernel_cbc, kernel_stream
from puretls.crypto.cbc import AES_128_CBC, CBC_ALGORITHMS, NULL_CIPHER, STREAM_ALGORITHMS, TRIPLE_DES_CBC
from puretls.record.protection import AeadProtection, EncryptThenMac, MacThenEncrypt, Plain, StreamProtection, mac_header

KEY = bytes(range(1, 33))


@dataclass(frozen=True)
class Form:
    """One form of protection; `make()` gives a fresh one under a fixed key and fixed randomness."""

    name: str
    make: object
    overhead: range

    def __repr__(self):
        return self.name


def _aead(algorithm):
    length = algorithm.record_iv_length + algorithm.tag_length
    make = lambda: AeadProtection(algorithm, kernel_aead(algorithm, KEY[: algorithm.key_length]), KEY[: algorithm.fixed_iv_length])  # noqa: E731
    return Form(algorithm.name, make, range(length, length + 1))


def _cbc(cls, algorithm, mac):
    size = hashlib.new(mac).digest_size
    make = lambda: cls(  # noqa: E731
        algorithm, kernel_cbc(algorithm, (KEY * 2)[: algorithm.key_length]), mac, KEY[:size].ljust(size, b"k"), danger.fixed_random()
    )
    block = algorithm.block_length
    return Form(f"{cls.__name__}-{algorithm.name}-{mac}", make, range(block + size + 1, 2 * block + size + 1))


def _stream(algorithm, mac):
    size = hashlib.new(mac).digest_size
    make = lambda: StreamProtection(kernel_stream(algorithm, KEY[: algorithm.key_length]), mac, KEY[:size])  # noqa: E731
    return Form(f"{algorithm.name}-{mac}", make, range(size, size + 1))


MACS = ("sha1", "sha256", "sha384")
FORMS = [
    *map(_aead, AEAD_ALGORITHMS),
    *(_cbc(cls, algorithm, mac) for cls in (MacThenEncrypt, EncryptThenMac) for algorithm in CBC_ALGORITHMS for mac in MACS),
    *(_stream(algorithm, mac) for algorithm in STREAM_ALGORITHMS for mac in ("md5", "sha1", "sha256")),
]
CBC_FORMS = [form for form in FORMS if "CBC" in form.name]
every_form = pytest.mark.parametrize("form", FORMS, ids=repr)
every_cbc_form = pytest.mark.parametrize("form", CBC_FORMS, ids=repr)
types = st.sampled_from((20, 21, 22, 23))
contents = st.tuples(types, st.binary(max_size=120))
few = settings(max_examples=8, deadline=None)


@every_form
@given(items=st.lists(contents, min_size=1, max_size=4), first=st.integers(0, 2**40))
@few
def test_what_is_sealed_opens(form, items, first):
    sealing, opening = form.make(), form.make()
    for index, (type_, data) in enumerate(items):
        sealed = sealing.seal(first + index, type_, data)
        assert len(sealed) - len(data) in form.overhead
        assert opening.open(first + index, type_, sealed) == data


@every_form
@given(items=st.lists(contents, min_size=1, max_size=6), first=st.integers(0, 2**40))
@few
def test_batches_give_what_record_by_record_gives(form, items, first):
    one, many = form.make(), form.make()
    single = [one.seal(first + index, *item) for index, item in enumerate(items)]
    assert many.seal_many(first, items) == single
    sealed = [(type_, fragment) for (type_, _), fragment in zip(items, single, strict=True)]
    assert form.make().open_many(first, sealed) == [data for _, data in items]


@every_form
@given(data=st.data())
@few
def test_batches_with_bad_records_give_what_record_by_record_gives(form, data):
    items = data.draw(st.lists(contents, min_size=1, max_size=5))
    sealed = list(zip([type_ for type_, _ in items], form.make().seal_many(5, items), strict=True))
    for _ in range(data.draw(st.integers(1, 3))):
        index = data.draw(st.integers(0, len(sealed) - 1))
        type_, fragment = sealed[index]
        sealed[index] = type_, data.draw(st.binary(max_size=70) | st.just(fragment[:-1]) | st.just(fragment[::-1]))
    one = form.make()
    assert form.make().open_many(5, sealed) == [one.open(5 + index, *item) for index, item in enumerate(sealed)]


@pytest.mark.rfc("5246", "6.2.3")
@every_form
def test_every_flipped_byte_is_noticed(form):
    sealed = form.make().seal(3, 23, b"some content to protect")
    for position in range(len(sealed)):
        touched = bytearray(sealed)
        touched[position] ^= 0x40
        assert form.make().open(3, 23, bytes(touched)) is None, position


@pytest.mark.rfc("5246", "6.2.3.1")
@every_form
def test_sequence_number_and_type_are_authenticated(form):
    sealed = form.make().seal(3, 23, b"content")
    assert form.make().open(3, 23, sealed) == b"content"
    assert form.make().open(4, 23, sealed) is None
    assert form.make().open(3, 22, sealed) is None


@every_form
def test_every_truncation_and_extension_is_noticed(form):
    sealed = form.make().seal(0, 23, b"content")
    for end in range(len(sealed)):
        assert form.make().open(0, 23, sealed[:end]) is None, end
    for more in (b"\0", bytes(8), bytes(16), bytes(64)):
        assert form.make().open(0, 23, sealed + more) is None


@every_form
@given(fragment=st.binary(max_size=200))
@settings(max_examples=25, deadline=None)
def test_any_bytes_open_to_nothing(form, fragment):
    assert form.make().open(0, 23, fragment) is None


@every_form
@given(length=st.integers(0, 300))
@few
def test_parts_cover_a_fragment_of_any_length(form, length):
    parts = form.make().layout.parts(length)
    assert sum(size for _, size in parts) == length
    assert all(size > 0 for _, size in parts)


def test_plain_is_no_protection():
    plain = Plain()
    assert plain.seal(0, 22, b"x") == plain.open(9, 20, b"x") == b"x"
    assert plain.layout.parts(7) == (("fragment", 7),)


@pytest.mark.rfc("5246", "6.2.3.1")
def test_mac_covers_sequence_type_version_and_length():
    assert mac_header(0x0102030405060708, 23, 0x1234).hex() == "0102030405060708" + "17" + "0303" + "1234"


@pytest.mark.rfc("5288", "3")
def test_gcm_nonce_is_the_fixed_part_and_the_explicit_one():
    sealed = _aead(AES_128_GCM).make().seal(7, 23, b"hello")
    assert sealed[:8] == (7).to_bytes(8, "big")
    expected = kernel_aead(AES_128_GCM, KEY[:16]).seal(KEY[:4] + sealed[:8], b"hello", mac_header(7, 23, 5))
    assert sealed[8:] == expected


@pytest.mark.rfc("5288", "3")
def test_gcm_opens_what_a_peer_numbered_its_own_way():
    nonce = b"notaseqn"
    sealed = kernel_aead(AES_128_GCM, KEY[:16]).seal(KEY[:4] + nonce, b"hello", mac_header(0, 23, 5))
    assert _aead(AES_128_GCM).make().open(0, 23, nonce + sealed) == b"hello"


@pytest.mark.rfc("7905", "2")
def test_chacha20_nonce_is_the_sequence_number_over_the_iv():
    protection = _aead(CHACHA20_POLY1305).make()
    nonce = (int.from_bytes(KEY[:12], "big") ^ 9).to_bytes(12, "big")
    assert protection.seal(9, 23, b"x") == kernel_aead(CHACHA20_POLY1305, KEY).seal(nonce, b"x", mac_header(9, 23, 1))


@pytest.mark.rfc("6655", "4")
def test_ccm_8_has_a_tag_of_eight_bytes():
    assert len(_aead(AES_128_CCM_8).make().seal(0, 23, b"")) == 16


def _encrypted(algorithm, iv, plain):
    return iv + kernel_cbc(algorithm, (KEY * 2)[: algorithm.key_length]).encrypt(iv, plain)


@pytest.mark.rfc("5246", "6.2.3.2")
@pytest.mark.parametrize("algorithm", [AES_128_CBC, TRIPLE_DES_CBC], ids=lambda a: a.name)
@pytest.mark.parametrize("form", [MacThenEncrypt, EncryptThenMac])
def test_any_legal_length_of_padding_is_taken(form, algorithm):
    block, key = algorithm.block_length, KEY[:20]
    for data_length in (0, 1, 30) if algorithm is AES_128_CBC else (5,):
        data = bytes(data_length)
        tail = hmac.digest(key, mac_header(0, 23, data_length) + data, "sha1") if form is MacThenEncrypt else b""
        for count in range(1, 257):
            if (len(data + tail) + count) % block:
                continue
            text = _encrypted(algorithm, bytes(block), data + tail + bytes((count - 1,)) * count)
            if form is EncryptThenMac:
                text += hmac.digest(key, mac_header(0, 23, len(text)) + text, "sha1")
            protection = form(algorithm, kernel_cbc(algorithm, (KEY * 2)[: algorithm.key_length]), "sha1", key, danger.fixed_random())
            assert protection.open(0, 23, text) == data, count


@pytest.mark.rfc("5246", "6.2.3.2")
@pytest.mark.parametrize("form", [MacThenEncrypt, EncryptThenMac])
def test_each_wrong_padding_byte_is_noticed(form):
    key, data = KEY[:20], b"x" * 11
    tail = hmac.digest(key, mac_header(0, 23, 11) + data, "sha1") if form is MacThenEncrypt else b"y" * 20
    padding = bytes((32,)) * 33
    for wrong in range(33):
        bad = bytearray(padding)
        bad[wrong] ^= 1
        text = _encrypted(AES_128_CBC, bytes(16), data + tail + bytes(bad))
        if form is EncryptThenMac:
            text += hmac.digest(key, mac_header(0, 23, len(text)) + text, "sha1")
        assert form(AES_128_CBC, kernel_cbc(AES_128_CBC, KEY[:16]), "sha1", key, danger.fixed_random()).open(0, 23, text) is None


@pytest.mark.rfc("7366", "3")
def test_encrypt_then_mac_covers_iv_and_ciphertext():
    protection = _cbc(EncryptThenMac, AES_128_CBC, "sha1").make()
    sealed = protection.seal(1, 23, b"hello")
    text, mac = sealed[:-20], sealed[-20:]
    assert len(text) == 32
    assert mac == hmac.digest(KEY[:20], mac_header(1, 23, 32) + text, "sha1")


@pytest.mark.rfc("5246", "6.2.3.2")
@every_cbc_form
def test_every_record_has_an_iv_of_its_own(form):
    protection = form.make()
    block = 8 if "3DES" in form.name else 16
    sealed = [*protection.seal_many(0, [(23, b"same")] * 5), protection.seal(5, 23, b"same")]
    assert len({fragment[:block] for fragment in sealed}) == 6


@pytest.mark.rfc("5246", "6.2.3.1")
def test_null_cipher_only_authenticates():
    protection = _stream(NULL_CIPHER, "sha256").make()
    assert protection.seal(0, 23, b"readable").startswith(b"readable")
