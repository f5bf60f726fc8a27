from math import isqrt


def messages(flight):
    while flight:
        end = 4 + int.from_bytes(flight[1:4])
        yield flight[0], flight[4:end]
        flight = flight[end:]


def attack(peer):
    at = 4 + 2 + 32 + 1 + peer.hello[38] + 2
    flight = peer.forward(peer.hello[:at] + b"\x00\x08" + peer.hello[at + 2 :])
    body = dict(messages(flight))[12]
    n, rest = cut(body)
    e, _ = cut(rest)
    a = isqrt(n) + 1
    while isqrt(a * a - n) ** 2 != a * a - n:
        a += 1
    p = a + isqrt(a * a - n)
    d = pow(e, -1, (p - 1) * (n // p - 1))
    at = 4 + 2 + 32 + 1 + flight[38]
    exchange = peer.deliver(flight[:at] + b"\x00\x9c" + flight[at + 2 :])
    block = pow(int.from_bytes(exchange[6:]), d, n).to_bytes(64)
    return peer.finish(block[-48:])


def cut(data):
    end = 2 + int.from_bytes(data[:2])
    return int.from_bytes(data[2:end]), data[end:]
