"""Certificates for tests, made once a process: a CA on P-256, leaves of every kind of key."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache

from puretls import danger
from puretls.ca import DevelopmentCa, Issued
from puretls.config import Credential
from puretls.x509.keys import spki_bytes

NAME = "server.test"
NOW = 1_790_000_000.0
"""The time in all in-memory tests, seconds since 1970."""


@lru_cache
def authority() -> DevelopmentCa:
    return DevelopmentCa.create(danger.fixed_random(b"authority"), NOW)


def issued(kind: str = "secp256r1", name: str = NAME, usage: str = "both") -> Issued:
    return _issued(kind, name, usage)


@lru_cache
def _issued(kind: str, name: str, usage: str) -> Issued:
    """The same in every process, whatever else was issued before: each leaf has entropy of its own."""
    root, intermediate = authority().root, authority().intermediate
    ca = DevelopmentCa.load(root, intermediate, danger.fixed_random(f"{kind} {name} {usage}".encode()), NOW)
    made = ca.issue([name], "rsa2048" if kind == "rsa_pss" else kind, usage=usage)
    if kind != "rsa_pss":
        return made
    key = replace(made.key, public=replace(made.key.public, pss_only=True))
    return ca.issued(replace(made.draft, spki=spki_bytes(key.public)), key)


def credential(kind: str = "secp256r1", name: str = NAME, usage: str = "both") -> Credential:
    return _credential(kind, name, usage)


@lru_cache
def _credential(kind: str, name: str, usage: str) -> Credential:
    leaf = issued(kind, name, usage)
    return Credential(leaf.chain, leaf.key)
