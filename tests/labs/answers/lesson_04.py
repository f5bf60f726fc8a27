# puretls lesson 4


def der_element(data):
    length, start = data[1], 2
    if length >= 0x80:
        start += length - 0x80
        length = int.from_bytes(data[2:start], "big")
    end = start + length
    return data[0], data[start:end], data[end:]


def dns_names(names):
    _, rest, _ = der_element(names)
    found = []
    while rest:
        tag, content, rest = der_element(rest)
        if tag == 0x82:
            found.append(content.decode("ascii"))
    return found


def covers(pattern, host):
    presented, wanted = pattern.lower().split("."), host.lower().split(".")
    if len(presented) != len(wanted):
        return False
    if presented[0] == "*" and len(presented) > 2:
        return presented[1:] == wanted[1:]
    return presented == wanted
