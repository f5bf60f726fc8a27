# puretls lesson 2


def vector(data, at, size):
    start = at + size
    end = start + int.from_bytes(data[at:start], "big")
    return data[start:end], end


def parse_client_hello(body):
    session_id, at = vector(body, 34, 1)
    suites, at = vector(body, at, 2)
    compression, at = vector(body, at, 1)
    listed = [int.from_bytes(suites[i : i + 2], "big") for i in range(0, len(suites), 2)]
    return int.from_bytes(body[:2], "big"), body[2:34], session_id, listed, compression


def parse_extensions(body):
    _, at = vector(body, 34, 1)
    _, at = vector(body, at, 2)
    _, at = vector(body, at, 1)
    if at == len(body):
        return []
    block, _ = vector(body, at, 2)
    at, found = 0, []
    while at < len(block):
        kind = int.from_bytes(block[at : at + 2], "big")
        data, at = vector(block, at + 2, 2)
        found.append((kind, data))
    return found


def host_name(data):
    entries, at = data[2:], 0
    while at < len(entries):
        kind = entries[at]
        name, at = vector(entries, at + 1, 2)
        if kind == 0:
            return name.decode()
    return None
