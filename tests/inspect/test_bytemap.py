"""The byte map is total: every byte of both sides, on the wire and decrypted, lies in exactly one leaf, whatever the bytes are."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from puretls.inspect import Chunk, Conversation, Gap, Stream
from puretls.inspect.bytemap import uncovered
from puretls.paths import parse_path
from tests.support.mutations import mutated
from tests.support.pair import no_security
from tests.support.recorded import conversations, every_reference, openssl_turns, streams
from tests.support.reference import REFERENCE

SIDES = ("client", "server")


def check_map(conversation: Conversation) -> int:
    """Both views of both sides are partitioned; leaves hold what they say, and are linked to what is there. The number of leaves."""
    count = 0
    for side in SIDES:
        byte_map = conversation.byte_map
        wire, plain, inside = byte_map.wire(side), byte_map.plain(side), byte_map.plain_bytes(side)
        assert uncovered(wire, [(run.start, run.end) for run in conversation.stream(side).runs()]) == ""
        assert uncovered(plain, [(0, len(inside))] if inside else []) == ""
        for leaf in (*wire, *plain):
            path = parse_path(leaf.path)
            assert str(path) == leaf.path
            assert path.side == side
            assert len(byte_map.bytes_of(leaf)) == leaf.length > 0
            assert leaf.rfc
            assert leaf.states_before.client
            assert leaf.states_after.server
            if leaf.linked is not None:
                there = byte_map.at(side, leaf.linked[0], "plaintext" if leaf.view == "wire" else "wire")
                assert there is not None
                assert there.record == leaf.record
        count += len(wire) + len(plain)
    assert conversation.outcome.sentence
    for side in SIDES:
        conversation.stopped(side)
    return count


@pytest.mark.rfc("5246", "6.2")
@pytest.mark.parametrize("row", REFERENCE, ids=lambda row: row.name)
def test_every_byte_of_a_reference_conversation_has_one_leaf(row):
    for conversation in conversations(row.name):
        assert check_map(conversation) > 100
        for side in SIDES:
            assert not [leaf.path for leaf in conversation.byte_map.wire(side) if leaf.fault]


@pytest.mark.interop
@pytest.mark.parametrize(
    "cipher", ["ECDHE-ECDSA-AES128-GCM-SHA256", "ECDHE-ECDSA-CHACHA20-POLY1305", "ECDHE-ECDSA-AES256-SHA384"]
)
def test_every_byte_of_a_foreign_conversation_has_one_leaf(cipher, tmp_path):
    turns, log = openssl_turns(tmp_path, cipher, "secp256r1")
    from puretls.inspect import Knowledge

    made = Conversation(*streams(turns), Knowledge.of(log))
    check_map(made)
    assert not [
        leaf.path for side in SIDES for view in ("wire", "plaintext") for leaf in made.byte_map.leaves(side, view) if leaf.fault
    ]


MUTATIONS = 1000


def check_mutation(seed: int) -> None:
    all_of_them = every_reference()
    story, conversation = mutated(all_of_them[seed % len(all_of_them)], seed)
    try:
        check_map(conversation)
    except Exception as error:
        raise AssertionError(f"seed {seed}, {conversation.name}: {story}") from error


@pytest.mark.parametrize("part", range(5))
def test_mutated_conversations_have_one_leaf_for_every_byte(part):
    for seed in range(part * 10, part * 10 + 10):
        check_mutation(seed)


@pytest.mark.full
@pytest.mark.parametrize("part", range(10))
def test_a_thousand_mutated_conversations_have_one_leaf_for_every_byte(part):
    for seed in range(part * MUTATIONS // 10, (part + 1) * MUTATIONS // 10):
        check_mutation(seed)


def header(type_: int, length: int) -> bytes:
    return bytes((type_, 3, 3)) + length.to_bytes(2, "big")


anything = st.binary(max_size=60)
like_records = st.builds(lambda type_, body: header(type_, len(body)) + body, st.integers(18, 26), anything)
pieces = st.lists(st.one_of(anything, like_records, like_records), max_size=6)


@st.composite
def any_stream(draw) -> Stream:
    chunks, gaps, offset = [], [], 0
    for order, data in enumerate(draw(pieces)):
        if draw(st.integers(0, 5)) == 0:
            length = draw(st.integers(0, 40))
            gaps.append(Gap(offset, length, "lost", draw(st.none() | st.integers(0, 3))))
            offset += length
        chunks.append(Chunk(offset, data, None, order * draw(st.integers(0, 1))))
        offset += len(data)
    return Stream(tuple(chunks), tuple(gaps), draw(st.sampled_from(("fin", "reset", "open"))))


@settings(max_examples=100)
@given(any_stream(), any_stream())
def test_any_two_streams_are_mapped(client, server):
    check_map(Conversation(client, server, provider=no_security()))


def test_views_are_linked_byte_for_byte_in_the_clear():
    conversation = conversations("ECDHE, RSA, GCM")[0]
    byte_map, stream = conversation.byte_map, conversation.stream("client").data
    random = byte_map.find("client.ClientHello.random")
    assert [leaf.view for leaf in random] == ["wire", "plaintext"]
    assert stream[random[0].start : random[0].end] == conversation.handshakes[0].client_random
    for index in range(32):
        assert byte_map.linked("client", random[0].start + index) == (random[1].start + index, random[1].start + index + 1)


def ciphertext_of(conversation, path="server.Finished.verify_data"):
    (leaf,) = conversation.byte_map.find(path)
    assert leaf.view == "plaintext"
    return leaf


@pytest.mark.rfc("5288", "3")
def test_ciphertext_of_an_aead_is_linked_byte_for_byte():
    conversation = conversations("ECDHE, RSA, GCM")[0]
    leaf, byte_map = ciphertext_of(conversation), conversation.byte_map
    (ciphertext,) = byte_map.find(f"server.record[{leaf.record}].ciphertext")
    assert leaf.linked == (ciphertext.start + 4, ciphertext.end)
    assert byte_map.linked("server", ciphertext.start + 4) == (leaf.start, leaf.start + 1)
    assert leaf.key == ciphertext.key == "server_write_key, epoch 1, sequence number 0"
    (nonce,) = byte_map.find(f"server.record[{leaf.record}].nonce_explicit")
    (tag,) = byte_map.find(f"server.record[{leaf.record}].tag")
    assert (nonce.length, tag.length, nonce.end, ciphertext.end) == (8, 16, ciphertext.start, tag.start)


@pytest.mark.rfc("5246", "6.2.3.2")
def test_ciphertext_of_cbc_is_linked_block_by_block():
    conversation = conversations("RSA, CBC, MAC first")[0]
    leaf, byte_map = ciphertext_of(conversation), conversation.byte_map
    (ciphertext,) = byte_map.find(f"server.record[{leaf.record}].ciphertext")
    start = leaf.start - 4
    assert byte_map.linked("server", ciphertext.start) == (start, start + 16)
    assert byte_map.linked("server", ciphertext.start + 17) == (start + 16, start + 32)
    assert byte_map.linked("server", leaf.start, "plaintext") == (ciphertext.start, ciphertext.start + 16)
    inside = [found.path.rpartition(".")[2] for found in byte_map.plain("server") if found.record == leaf.record]
    assert inside == ["msg_type", "length", "verify_data", "mac", "padding", "padding_length"]
    (mac,) = byte_map.find(f"server.record[{leaf.record}].mac")
    assert mac.key == "server_write_MAC_key, epoch 1, sequence number 0"
    (padding,) = byte_map.find(f"server.record[{leaf.record}].padding")
    assert byte_map.bytes_of(padding) == bytes((padding.length,)) * padding.length


def test_encrypt_then_mac_has_its_mac_on_the_wire():
    conversation = conversations("RSA, CBC, encrypt_then_mac")[0]
    leaf = ciphertext_of(conversation)
    (mac,) = conversation.byte_map.find(f"server.record[{leaf.record}].mac")
    assert mac.view == "wire"
    assert mac.key.startswith("server_write_MAC_key")


def test_a_field_in_two_records_has_a_leaf_in_each():
    """Records of 512 bytes at most: the certificates lie in several."""
    conversation = conversations("ALPN, stapled status, SCTs, short records")[0]
    byte_map = conversation.byte_map
    torn = [leaf for leaf in byte_map.plain("server") if leaf.part]
    assert torn
    for leaf in torn:
        both = [found for found in byte_map.find(leaf.path) if found.view == "plaintext" and found.path == leaf.path]
        assert [found.part for found in both] == list(range(len(both)))
        assert len({found.record for found in both}) == len(both)


def test_der_is_explained_to_its_last_tag_in_signatures_names_and_responses():
    paths = {leaf.path for name in ("ECDHE, ECDSA, CCM_8", "ALPN, stapled status, SCTs, short records")
             for leaf in conversations(name)[0].byte_map.plain("server")}  # fmt: skip
    assert "server.ServerKeyExchange.signed.signature.ecdsa_sig_value.r" in paths
    assert "server.CertificateStatus.response.ocsp_response.response_status" in paths or any(
        path.startswith("server.CertificateStatus.response.ocsp_response") for path in paths
    )
    assert "server.Certificate.certificate_list[0].tbs_certificate.validity.not_after.tag" in paths


def test_what_is_not_there_has_no_leaf():
    byte_map = conversations("PSK, GCM")[0].byte_map
    assert byte_map.at("client", 10**6) is None
    assert byte_map.find("client.Certificate") == ()
    assert byte_map.linked("client", 0) is None
