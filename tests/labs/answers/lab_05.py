def attack(peer):
    known = ""
    while len(known) < 8:
        lengths = {digit: peer.request("session=" + known + digit) for digit in "0123456789abcdef"}
        known += min(lengths, key=lengths.get)
    return known
