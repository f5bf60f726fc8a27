# puretls lesson 6
import hmac


def prf(secret, label, seed, length):
    out, a = b"", label + seed
    while len(out) < length:
        a = hmac.digest(secret, a, "sha256")
        out += hmac.digest(secret, a + label + seed, "sha256")
    return out[:length]


def master_secret(premaster, client_random, server_random, session_hash):
    if session_hash is not None:
        return prf(premaster, b"extended master secret", session_hash, 48)
    return prf(premaster, b"master secret", client_random + server_random, 48)


def key_block(master, client_random, server_random, mac_length, key_length, iv_length):
    lengths = [mac_length] * 2 + [key_length] * 2 + [iv_length] * 2
    block = prf(master, b"key expansion", server_random + client_random, sum(lengths))
    keys = []
    for length in lengths:
        keys.append(block[:length])
        block = block[length:]
    return tuple(keys)
