# puretls lesson 11


def read_alert(fragment):
    if len(fragment) != 2 or fragment[0] not in (1, 2):
        return None
    return fragment[0] == 2, fragment[1]


def ending(events):
    for kind, content in events:
        if kind == "end":
            return "truncated"
        if kind == "alert" and content[1] == 0:
            return "closed"
        if kind == "alert" and content[0] == 2:
            return "failed"
    return "open"


def refusal(header, protected):
    if not 20 <= header[0] <= 23:
        return 10
    if header[1:3] != b"\x03\x03":
        return 70
    most = 2**14 + (2048 if protected else 0)
    return 22 if int.from_bytes(header[3:5], "big") > most else None
