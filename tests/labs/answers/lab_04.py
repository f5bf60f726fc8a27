def attack(peer):
    pin = ""
    front, back = "POST / HTTP/1.1\r\nCookie: pin=", "\r\n\r\n"
    while len(pin) < 4:
        path = "x" * ((15 - len(front) - len(pin)) % 16)
        row = (len(front) + len(path) + len(pin)) // 16
        length = len(front) + len(path) + 4 + len(back) + 20
        body = bytes(-length % 16)
        while True:
            record = peer.request(path, body)
            at = 5 + 16 * (row + 1)  # of the block that ends in the digit
            if peer.deliver(record[:-16] + record[at : at + 16]):
                pin += chr(15 ^ record[-17] ^ record[at - 1])
                break
    return pin
