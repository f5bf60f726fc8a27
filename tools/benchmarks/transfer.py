"""Bulk data through a loopback socket, the other end being `openssl s_server`: wall time, so the kernel's and OpenSSL's share is in it.

Contenders: puretls's `TlsSocket`, tlslite-ng doing the same with less data (scaled), Python's `ssl`.
"""

from __future__ import annotations

import contextlib
import functools
import os
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

from benchmarks.harness import Case, Options, Row
from puretls import ClientConfig
from puretls.ca import DevelopmentCa
from puretls.crypto.provider import named
from puretls.net.blocking import TlsSocket
from puretls.suites import SUITES
from puretls.x509.keys import private_key_pem
from puretls.x509.pem import load_certificates, write_pem
from puretls.x509.verifier import chain_verifier

_NAME = "localhost"
_SUITES = {"AES-128-GCM": "ECDHE-ECDSA-AES128-GCM-SHA256", "ChaCha20-Poly1305": "ECDHE-ECDSA-CHACHA20-POLY1305"}
_TLSLITE = {"AES-128-GCM": ["aes128gcm"], "ChaCha20-Poly1305": ["chacha20-poly1305"]}
_CHUNK = 2**20


def cases(options: Options) -> list[Case]:
    """Downloads and uploads under two ciphers."""
    if shutil.which("openssl") is None:
        return []
    setting = Setting(options)
    return [functools.partial(run, setting, cipher) for cipher in _SUITES for run in (_download, _upload)]


class Setting:
    """Certificates and files for the peer, sizes for the contenders."""

    def __init__(self, options: Options) -> None:
        self.folder = tempfile.TemporaryDirectory()
        self.path = Path(self.folder.name)
        ca = DevelopmentCa.create(os.urandom, time.time())
        issued = ca.issue([_NAME])
        (self.path / "cert.pem").write_text("".join(write_pem("CERTIFICATE", der) for der in issued.chain))
        (self.path / "key.pem").write_text(private_key_pem(issued.key))
        (self.path / "root.pem").write_text(ca.root_pem)
        self.size = 10_000_000 if options.quick else 50_000_000
        self.small = 500_000 if options.quick else 2_000_000
        (self.path / "large").write_bytes(os.urandom(_CHUNK) * (self.size // _CHUNK + 1))
        (self.path / "small").write_bytes(os.urandom(self.small))
        provider = named(options.provider)
        anchors = load_certificates(ca.root_pem)
        self.config = ClientConfig(provider=provider, verifier=chain_verifier(anchors, provider=provider))

    @contextlib.contextmanager
    def server(self, cipher: str, *more: str) -> Iterator[tuple[int, subprocess.Popen[bytes]]]:
        """`openssl s_server` on a free port."""
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        command = ["openssl", "s_server", "-accept", f"127.0.0.1:{port}", "-cert", "cert.pem", "-cert_chain", "cert.pem"]
        command += ["-key", "key.pem", "-tls1_2", "-cipher", _SUITES[cipher], "-quiet", *more]
        quiet = {"stdin": subprocess.PIPE, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        process = subprocess.Popen(command, cwd=self.path, **quiet)
        try:
            yield port, process
        finally:
            process.kill()
            process.wait()


def _connected(port: int) -> socket.socket:
    for _ in range(200):
        with contextlib.suppress(ConnectionRefusedError):
            return socket.create_connection(("127.0.0.1", port), timeout=60)
        time.sleep(0.02)
    raise TimeoutError("openssl s_server does not answer")


# Contenders: each gives an object with recv, sendall and close on a connected socket


def _puretls(setting: Setting, cipher: str, sock: socket.socket) -> TlsSocket:
    suites = tuple(suite for suite in SUITES if suite.openssl_name == _SUITES[cipher])
    return TlsSocket.client(sock, replace(setting.config, suites=suites), _NAME)


def _openssl(setting: Setting, cipher: str, sock: socket.socket) -> socket.socket:
    import ssl

    context = ssl.create_default_context(cafile=str(setting.path / "root.pem"))
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    context.set_ciphers(_SUITES[cipher])
    return context.wrap_socket(sock, server_hostname=_NAME)


class _Tlslite:
    def __init__(self, setting: Setting, cipher: str, sock: socket.socket) -> None:
        from tlslite.api import HandshakeSettings, TLSConnection

        settings = HandshakeSettings()
        settings.maxVersion = (3, 3)
        settings.cipherNames = _TLSLITE[cipher]
        settings.cipherImplementations = ["python"]
        self._connection = TLSConnection(sock)
        self._connection.handshakeClientCert(settings=settings, serverName=_NAME)

    def recv(self, size: int) -> bytes:
        return bytes(self._connection.recv(min(size, 16384)))

    def sendall(self, data: bytes) -> None:
        self._connection.sendall(data)

    def close(self) -> None:
        self._connection.close()


_CONTENDERS: dict[str, Callable[..., object]] = {"puretls": _puretls, "tlslite_ng": _Tlslite, "openssl": _openssl}


def _download(setting: Setting, cipher: str) -> list[Row]:
    figures = {}
    for name, make in _CONTENDERS.items():
        with setting.server(cipher, "-WWW") as (port, _):
            _connected(port).close()
            file = "small" if name == "tlslite_ng" else "large"
            figures[name] = _rate(*_fetch(setting, cipher, make, port, file))
    return [Row("transfer", f"{cipher} download", str(setting.size), "MB/s", **figures)]


def _fetch(setting: Setting, cipher: str, make: Callable[..., object], port: int, file: str) -> tuple[float, int]:
    connection = make(setting, cipher, _connected(port))
    connection.sendall(f"GET /{file} HTTP/1.0\r\n\r\n".encode())
    start, received, wanted = time.perf_counter(), 0, (setting.path / file).stat().st_size
    while received < wanted:
        data = connection.recv(_CHUNK)
        if not data:
            break
        received += len(data)
    seconds = time.perf_counter() - start
    connection.close()
    return seconds, received


def _upload(setting: Setting, cipher: str) -> list[Row]:
    figures = {}
    for name, make in _CONTENDERS.items():
        size = setting.small if name == "tlslite_ng" else setting.size
        with setting.server(cipher, "-naccept", "1") as (port, process):
            figures[name] = _rate(*_push(setting, cipher, make, port, size, process))
    return [Row("transfer", f"{cipher} upload", str(setting.size), "MB/s", **figures)]


def _push(
    setting: Setting, cipher: str, make: Callable[..., object], port: int, size: int, process: subprocess.Popen[bytes]
) -> tuple[float, int]:
    connection = make(setting, cipher, _connected(port))
    chunk = bytes(min(size, _CHUNK))
    start, sent = time.perf_counter(), 0
    while sent < size:
        connection.sendall(chunk)
        sent += len(chunk)
    connection.close()
    process.wait(timeout=60)  # it ends once it has read everything
    return time.perf_counter() - start, sent


def _rate(seconds: float, count: int) -> float:
    """MB/s."""
    return count / seconds / 1e6
