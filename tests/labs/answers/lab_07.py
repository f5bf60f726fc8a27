def messages(flight):
    while flight:
        end = 4 + int.from_bytes(flight[1:4])
        yield flight[0], flight[4:end]
        flight = flight[end:]


def attack(peer):
    at = 4 + 2 + 32 + 1 + peer.hello[38] + 2
    flight = peer.forward(peer.hello[:at] + b"\x00\x14" + peer.hello[at + 2 :])
    numbers, body = [], dict(messages(flight))[12]
    while len(numbers) < 3:
        end = 2 + int.from_bytes(body[:2])
        numbers.append(int.from_bytes(body[2:end]))
        body = body[end:]
    p, g, server = numbers
    at = 4 + 2 + 32 + 1 + flight[38]
    client = int.from_bytes(peer.deliver(flight[:at] + b"\x00\x9e" + flight[at + 2 :])[6:])
    m, power, baby = 2**18, 1, {}
    for b in range(m):
        baby[power] = b
        power = power * g % p
    a, back = 0, pow(g, -m, p)
    while client not in baby:
        a, client = a + 1, client * back % p
    secret = pow(server, a * m + baby[client], p)
    return peer.finish(secret.to_bytes((secret.bit_length() + 7) // 8))
