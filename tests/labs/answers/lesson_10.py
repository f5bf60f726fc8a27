# puretls lesson 10


def vector(data, at, size):
    start = at + size
    end = start + int.from_bytes(data[at:start], "big")
    return data[start:end], end


def read_request(body):
    types, at = vector(body, 0, 1)
    schemes, at = vector(body, at, 2)
    names, at = vector(body, at, 2)
    listed, at = [], 0
    while at < len(names):
        name, at = vector(names, at, 2)
        listed.append(name)
    return list(types), [int.from_bytes(schemes[i : i + 2], "big") for i in range(0, len(schemes), 2)], listed


def choose_certificate(types, authorities, mine):
    for number, (kind, issuer) in enumerate(mine):
        if {"RSA": 1, "ECDSA": 64}[kind] in types and (not authorities or issuer in authorities):
            return number
    return None


def covered(messages):
    before = b""
    for _, raw in messages:
        if raw[0] == 15:
            return before
        before += raw
    return None
