"""The formulas by which one value of a connection comes from others: the standard library alone, bytes in, bytes out.

A ledger computes with these functions, and the script that it writes holds their source: a learner reads here what runs there.
"""

import hashlib
import hmac


def join(*parts: bytes) -> bytes:
    """One after the other."""
    return b"".join(parts)


def cut(data: bytes, start: int, end: int) -> bytes:
    """Bytes `start` up to but not including `end`."""
    return data[start:end]


def digest(hash_name: str, *messages: bytes) -> bytes:
    """The hash of messages, one after the other (RFC 5246 7.4.9: handshake messages with their headers, records left out)."""
    return hashlib.new(hash_name, b"".join(messages)).digest()


def prf(hash_name: str, secret: bytes, label: str, seed: bytes, length: int) -> bytes:
    """The pseudorandom function (RFC 5246 5): P_hash(secret, label + seed), as many bytes as are wanted."""
    seed = label.encode() + seed
    output, a = b"", seed
    while len(output) < length:
        a = hmac.new(secret, a, hash_name).digest()
        output += hmac.new(secret, a + seed, hash_name).digest()
    return output[:length]


def rsa_premaster(encrypted: bytes, modulus: int, exponent: int) -> bytes:
    """The 48 bytes that a client encrypted to the server's RSA key (RFC 5246 7.4.7.1): they stand at the end of the padded block."""
    size = (modulus.bit_length() + 7) // 8
    block = pow(int.from_bytes(encrypted, "big"), exponent, modulus).to_bytes(size, "big")
    return block[-48:]


def psk_premaster(other_secret: bytes, psk: bytes) -> bytes:
    """Both secrets, each behind its length (RFC 4279 2); without a key exchange the other one is as many zeros as the key is long."""
    return len(other_secret).to_bytes(2, "big") + other_secret + len(psk).to_bytes(2, "big") + psk


def master_secret(hash_name: str, premaster: bytes, client_random: bytes, server_random: bytes) -> bytes:
    """RFC 5246 8.1."""
    return prf(hash_name, premaster, "master secret", client_random + server_random, 48)


def extended_master_secret(hash_name: str, premaster: bytes, session_hash: bytes) -> bytes:
    """RFC 7627 4: over the whole handshake so far instead of the randoms alone."""
    return prf(hash_name, premaster, "extended master secret", session_hash, 48)


def key_block(hash_name: str, master: bytes, server_random: bytes, client_random: bytes, length: int) -> bytes:
    """RFC 5246 6.3. Here the server's random comes first."""
    return prf(hash_name, master, "key expansion", server_random + client_random, length)


def verify_data(hash_name: str, master: bytes, label: str, handshake_hash: bytes) -> bytes:
    """The content of Finished (RFC 5246 7.4.9)."""
    return prf(hash_name, master, label, handshake_hash, 12)


def header(sequence: int, content_type: int, length: int) -> bytes:
    """What is authenticated in front of the data: sequence number, type, version 0x0303, length (RFC 5246 6.2.3.1 and 6.2.3.3)."""
    return sequence.to_bytes(8, "big") + bytes((content_type, 3, 3)) + length.to_bytes(2, "big")


def nonce_from_sequence(iv: bytes, sequence: int) -> bytes:
    """The IV, its last bytes XORed with the sequence number (RFC 7905 2)."""
    return (int.from_bytes(iv, "big") ^ sequence).to_bytes(len(iv), "big")


def mac(hash_name: str, key: bytes, header: bytes, data: bytes) -> bytes:
    """The MAC of a record (RFC 5246 6.2.3.1; RFC 7366 3 for that of the ciphertext)."""
    return hmac.new(key, header + data, hash_name).digest()
