# puretls lesson 5


def read_key_exchange(body):
    end = 4 + body[3]
    group, scheme = int.from_bytes(body[1:3], "big"), int.from_bytes(body[end : end + 2], "big")
    return group, body[4:end], scheme, body[end + 4 :]


def signed_content(client_random, server_random, body):
    return client_random + server_random + body[: 4 + body[3]]


def shared_secret(p, peer, private):
    value = int.from_bytes(peer, "big")
    if not 1 < value < p - 1:
        return None
    shared = pow(value, private, p)
    return shared.to_bytes((shared.bit_length() + 7) // 8, "big")
