# puretls lesson 9
from puretls.labs.lessons.tools import gcm_open, gcm_seal


def is_resumed(stream):
    messages = b""
    while stream and stream[0] == 22:
        end = 5 + int.from_bytes(stream[3:5], "big")
        messages, stream = messages + stream[5:end], stream[end:]
    while messages:
        if messages[0] in (11, 14):
            return False
        messages = messages[4 + int.from_bytes(messages[1:4], "big") :]
    return True


def seal_ticket(key, nonce, state):
    name = key[:16]
    return name + nonce + gcm_seal(key[16:], nonce, state, name)


def open_ticket(ticket, keys):
    name, nonce, sealed = ticket[:16], ticket[16:28], ticket[28:]
    for key in keys:
        if key[:16] == name:
            return gcm_open(key[16:], nonce, sealed, name)
    return None
