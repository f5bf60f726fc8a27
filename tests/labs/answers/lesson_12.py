# puretls lesson 12


def tcp_stream(first, segments):
    stream = b""
    placed = sorted(((number - first) % 2**32, data) for number, data in segments)
    for start, data in placed:
        if start > len(stream):
            break
        stream += data[len(stream) - start :]
    return stream


def master_secret_of(key_log, client_random):
    for line in key_log.splitlines():
        words = line.split()
        if len(words) == 3 and words[0] == "CLIENT_RANDOM" and words[1].lower() == client_random.hex():
            return bytes.fromhex(words[2])
    return None


def fragments(stream):
    joined = b""
    while stream:
        end = 5 + int.from_bytes(stream[3:5], "big")
        joined, stream = joined + stream[5:end], stream[end:]
    return joined


def changed_byte(sent, received):
    one, other = fragments(sent), fragments(received)
    at = next((i for i, (a, b) in enumerate(zip(one, other, strict=True)) if a != b), None)
    if at is None:
        return None
    while True:
        end = 4 + int.from_bytes(one[1:4], "big")
        if at < end:
            return one[0], at
        one, at = one[end:], at - end
