"""Chains of a server's certificates with exactly one thing wrong, and one with nothing: what a client that verifies must refuse.

All belong to the authority of `honest`, and are for its name and its time unless that is what is wrong.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import cache

from puretls import danger
from puretls.ca import DAY, Authority, DevelopmentCa, Issued
from puretls.config import Credential
from puretls.crypto.provider import default
from puretls.der import oids, writer
from puretls.testing.honest import NAME, NOW, authority, issued
from puretls.x509 import drafts
from puretls.x509.drafts import CertificateDraft, Signer
from puretls.x509.keys import spki_bytes


def _random(purpose: str) -> Callable[[int], bytes]:
    return danger.fixed_random(f"puretls.testing defects {purpose}".encode())


def _under(above: Authority | None, purpose: str) -> DevelopmentCa:
    """A CA whose leaves are signed by `above`."""
    return DevelopmentCa.load(authority().root, above, _random(purpose), NOW)


def _below(above: Authority, label: str, *extensions: bytes) -> Authority:
    """A CA certificate under another, with these extensions."""
    key = default().generate("secp256r1", _random(label))
    name = drafts.name((oids.COMMON_NAME, label))
    more = (
        drafts.key_usage(drafts.KEY_CERT_SIGN),
        drafts.subject_key_identifier(key.public),
        drafts.authority_key_identifier(above.key.public),
    )
    start, end = int(NOW) - DAY, int(NOW) + 300 * DAY
    draft = CertificateDraft(name, above.name, 2**100 + len(label), start, end, spki_bytes(key.public), (*extensions, *more))
    return Authority(draft.signed(Signer(key=above.key, random=_random(f"{label} signed"), provider=default())), key, name, end)


def _leaf(above: Authority | None, purpose: str, *between: Authority, name: str = NAME, usage: str = "server") -> Credential:
    made = _under(above, purpose).issue([name], usage=usage)
    return _credential(made, *between)


def _credential(made: Issued, *between: Authority) -> Credential:
    return Credential((*made.chain, *(one.certificate for one in between)), made.key)


_CA = drafts.basic_constraints(True)


def _path_length() -> Credential:
    short = _below(authority().root, "no CA below", drafts.basic_constraints(True, 0))
    return _leaf(_below(short, "a CA below", _CA), "path length", short)


def _name_constraint() -> Credential:
    subtree = writer.sequence(drafts.general_name("other.test"))
    only = drafts.extension(oids.NAME_CONSTRAINTS, writer.sequence(writer.explicit(0, subtree)), critical=True)
    return _leaf(_below(authority().root, "other names only", _CA, only), "name constraint")


def _redrafted(purpose: str, **changes: object) -> Credential:
    made = issued()
    return _credential(_under(authority().intermediate, purpose).issued(replace(made.draft, **changes), made.key))  # type: ignore[arg-type]


def _unknown_root() -> Credential:
    return _credential(DevelopmentCa.create(_random("unknown root"), NOW).issue([NAME]))


def _no_authority() -> Credential:
    leaf, above = issued(), authority().intermediate
    assert above is not None
    issuer = Authority(leaf.certificate, leaf.key, leaf.draft.subject, leaf.draft.not_after)
    made = DevelopmentCa(authority().root, issuer, _random("no authority"), int(NOW), default()).issue([NAME])
    return _credential(made, above)


def _forged() -> Credential:
    made = issued()
    chain = (made.chain[0][:-3] + bytes(byte ^ 1 for byte in made.chain[0][-3:]), *made.chain[1:])
    return Credential(chain, made.key)


_MAKERS: Mapping[str, Callable[[], Credential]] = {
    "none": lambda: _credential(issued()),
    "path length": _path_length,
    "name constraint": _name_constraint,
    "expired": lambda: _redrafted("expired", not_after=int(NOW) - 60),
    "not yet valid": lambda: _redrafted("not yet valid", not_before=int(NOW) + DAY),
    "another name": lambda: _leaf(authority().intermediate, "another name", name="another.test"),
    "unknown root": _unknown_root,
    "no authority": _no_authority,
    "client's usage": lambda: _leaf(authority().intermediate, "client's usage", usage="client"),
    "forged signature": _forged,
}
DEFECTS = tuple(_MAKERS)
"""What may be wrong, the first of which is nothing."""


@cache
def chain_with(defect: str) -> Credential:
    """A credential of which this is wrong, and nothing else. Raises `KeyError` for a name that is not among `DEFECTS`."""
    return _MAKERS[defect]()
