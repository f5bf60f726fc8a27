def mixed(one, other):
    return bytes(a ^ b for a, b in zip(one, other, strict=True))


def attack(peer):
    size = peer.block
    rows = [peer.template[at : at + size] for at in range(0, len(peer.template), size)]
    inputs, pieces, cookie = {}, [], {}
    for record in peer.listen(4000):
        blocks = [record[at : at + size] for at in range(5, len(record), size)]
        for number, row in enumerate(rows):
            if b"?" in row:
                pieces.append((number, blocks[number], blocks[number + 1]))
            elif len(row) == size:
                inputs[blocks[number + 1]] = mixed(row, blocks[number])
    for number, before, block in pieces:
        if block in inputs:
            cookie[number] = mixed(inputs[block], before).decode()
    return "".join(cookie[number] for number in sorted(cookie))
