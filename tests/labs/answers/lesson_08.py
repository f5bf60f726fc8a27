# puretls lesson 8
import hmac

from puretls.labs.lessons.tools import gcm_open


def header(sequence, kind, length):
    return sequence.to_bytes(8, "big") + bytes([kind]) + b"\x03\x03" + length.to_bytes(2, "big")


def gcm_parts(iv, sequence, record):
    fragment = record[5:]
    return iv + fragment[:8], header(sequence, record[0], len(fragment) - 24), fragment[8:]


def open_gcm(key, iv, sequence, record):
    nonce, aad, sealed = gcm_parts(iv, sequence, record)
    return gcm_open(key, nonce, sealed, aad)


def open_cbc(plain, mac_key, sequence, kind):
    count = plain[-1]
    end = len(plain) - count - 1 - 20
    if end < 0 or plain[end + 20 :] != bytes([count]) * (count + 1):
        return None
    content, mac = plain[:end], plain[end : end + 20]
    right = hmac.digest(mac_key, header(sequence, kind, len(content)) + content, "sha1")
    return content if hmac.compare_digest(mac, right) else None
