"""Conversations of others, captured on loopback, and what tshark says of them."""

import json
import os
import re
import socket
import subprocess
import time
from dataclasses import dataclass, field
from pathlib import Path

from tests.interop.peers import TIMEOUT, program

SENTINEL = 40_404
"""A UDP port: what is sent there marks in the capture how far it has come."""
TOOLS = ("dumpcap", "tshark", "openssl")


def why_not():
    """Why nothing can be captured here; None where it can."""
    missing = [name for name in TOOLS if program(name) is None]
    if missing:
        return f"{', '.join(missing)} is not installed"
    told = subprocess.run(["dumpcap", "-D"], capture_output=True, text=True, timeout=TIMEOUT, check=False).stdout
    return (
        None if re.search(r"\blo\b", told) else "dumpcap may not capture on the loopback interface (it needs root or CAP_NET_RAW)"
    )


class Capturing:
    """dumpcap for one TCP port, from when it is sure to capture until all that was sent is in the file."""

    def __init__(self, file, port, interface="lo", *options):
        self._where = ("-i", interface, *options)
        self.file, self.port, self._count = Path(file), port, 0
        self._mark = f"puretls {os.getpid()} {port} ".encode()

    def __enter__(self):
        command = ["dumpcap", "-q", *self._where, "-f", f"tcp port {self.port} or udp port {SENTINEL}", "-w", self.file]
        self._process = subprocess.Popen(command, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL)
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._wait(again=True)
        return self

    def _wait(self, *, again):
        """Send a mark, and wait until it is captured."""
        deadline, sought = time.monotonic() + TIMEOUT, None
        while time.monotonic() < deadline:
            if sought is None or again:
                self._count += 1
                mark = self._mark + b"%d." % self._count
                sought = sought or self._mark
                self._socket.sendto(mark, ("127.0.0.1", SENTINEL))
            if self.file.exists() and (sought if again else mark) in self.file.read_bytes():
                return
            if self._process.poll() is not None:
                break
            time.sleep(0.02)
        self.stop()
        raise AssertionError(f"dumpcap did not capture: {self._process.stderr.read().decode(errors='replace')}")

    def stop(self):
        self._socket.close()
        self._process.terminate()
        self._process.wait(TIMEOUT)

    def __exit__(self, kind, error, traceback):
        if kind is None:
            self._wait(again=False)
        self.stop()
        self._process.stderr.close()


@dataclass
class Told:
    """What tshark says of one direction."""

    records: list = field(default_factory=list)
    handshakes: list = field(default_factory=list)
    alerts: list = field(default_factory=list)
    data: bytes = b""


def pairs(value):
    """Keys and values of an object of JSON in which keys come again, all levels, in order."""
    for key, below in value if isinstance(value, list) else ():
        yield key, below
        if isinstance(below, list):
            yield from pairs(below)


def every(value, key):
    return [below for name, below in pairs(value) if name == key]


def tshark(file, port, log, stream=0):
    """Both directions of a TCP connection of a capture, by side."""
    options = [
        "-r",
        file,
        "-d",
        f"tcp.port=={port},tls",
        "-o",
        f"tls.keylog_file:{log}",
        "-o",
        "tcp.reassemble_out_of_order:TRUE",
    ]
    options += ["-Y", f"tcp.stream=={stream}", "-2"]
    done = subprocess.run(["tshark", *options, "-T", "json"], capture_output=True, timeout=6 * TIMEOUT, check=True)
    told = {"client": Told(), "server": Told()}
    for packet in json.loads(done.stdout, object_pairs_hook=lambda found: [tuple(pair) for pair in found]):
        said = told["server" if every(packet, "tcp.srcport")[0] == str(port) else "client"]
        for layers in every(packet, "layers"):
            for name, tls in layers:
                if name == "tls":
                    _add(said, tls)
    follow = ["tshark", *options[:-3], "-q", "-z", f"follow,tls,raw,{stream}"]
    shown = subprocess.run(follow, capture_output=True, text=True, timeout=6 * TIMEOUT, check=True).stdout
    turned = re.search(rf"^Node 0: .*:{port}$", shown, re.MULTILINE) is not None
    for tab, line in re.findall(r"^(\t?)([0-9a-f]+)$", shown, re.MULTILINE):
        told["server" if bool(tab) != turned else "client"].data += bytes.fromhex(line)
    return told


def _add(said, tls):
    for name, record in tls if isinstance(tls, list) else ():
        if name != "tls.record":
            continue
        of = dict(record)
        said.records.append((int(of["tls.record.content_type"]), int(of["tls.record.version"], 16), int(of["tls.record.length"])))
        for key, below in record:
            if key == "tls.handshake" and isinstance(below, list) and "tls.handshake.type" in dict(below):
                said.handshakes.append(below)
            elif key == "tls.alert_message" and isinstance(below, list):
                alert = dict(below)
                said.alerts.append((int(alert["tls.alert_message.level"]), int(alert["tls.alert_message.desc"])))


def raw(text):
    return bytes.fromhex(text.replace(":", ""))
