# puretls lesson 7
import hashlib

from puretls.labs.lessons.tools import prf


def transcript(flow):
    return b"".join(raw for kind, raw in flow if kind == 22 and raw[0] != 0)


def verify_data(master, side, messages):
    digest = hashlib.sha256(b"".join(messages)).digest()
    return prf(master, f"{side} finished".encode(), digest, 12)


def wrong_finished(master, messages):
    before, wrong = [], []
    for side, raw in messages:
        if raw[0] == 0x14 and raw[4:] != verify_data(master, side, before):
            wrong.append(side)
        before.append(raw)
    return wrong
