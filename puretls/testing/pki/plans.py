"""What is to be signed, from the root to the leaf, and the chain that comes of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import field, replace
from functools import cache
from itertools import count
from typing import Any

from puretls import danger
from puretls.crypto import provider as providers
from puretls.crypto.keys import PrivateKey
from puretls.crypto.provider import Provider
from puretls.crypto.signatures import SignatureAlgorithm
from puretls.der import oids
from puretls.inspect.render.hexdump import hexdump, of_spans
from puretls.testing.honest import NAME, NOW
from puretls.testing.mapped import WIDTH, print_lines
from puretls.text import counted
from puretls.values import frozen
from puretls.x509 import drafts
from puretls.x509.certificates.certificate import annotate
from puretls.x509.drafts import CertificateDraft, Signer
from puretls.x509.keys import spki_bytes
from puretls.x509.reports.report import Report
from puretls.x509.verifier import ChainRequest, chain_verifier

TIME = int(NOW)
"""When chains are validated, seconds since 1970."""
DAY = 86_400
YEAR = 365 * DAY
HOST = NAME


@cache
def key(label: str, kind: str = "secp256r1") -> PrivateKey:
    """One key for each label, the same in every process. RSA keys of 2048 bits take a second."""
    return provider_of_signers().generate(kind, danger.fixed_random(f"puretls.testing.pki {label} {kind}".encode()))


@cache
def provider_of_signers() -> Provider:
    """What signs and verifies here."""
    return providers.default()


# What is to be signed


@frozen
class Layer:
    """One certificate: what it says, its own key, and the key that signs it. `finish` is done to the DER in the end."""

    draft: CertificateDraft
    extensions: Mapping[str, bytes]
    key: PrivateKey
    signer: PrivateKey
    algorithm: SignatureAlgorithm | None = None
    finish: Callable[[bytes], bytes] = bytes

    def signed(self) -> bytes:
        """The certificate."""
        drawn = replace(self.draft, extensions=tuple(self.extensions.values()))
        random = danger.fixed_random(drawn.subject + drawn.serial.to_bytes(21, signed=True))
        return self.finish(drawn.signed(Signer(self.signer, random, provider_of_signers(), self.algorithm)))

    def but(self, **fields: Any) -> Layer:
        """The same with other fields of its draft."""
        return replace(self, draft=replace(self.draft, **fields))

    def having(self, **extensions: bytes | None) -> Layer:
        """The same with other extensions; None takes one out."""
        merged = {**self.extensions, **extensions}
        return replace(self, extensions={name: value for name, value in merged.items() if value is not None})


@frozen
class Plan:
    """Certificates from the root to the leaf, and how they are shown. `order` are the places of the intermediates as they are sent."""

    layers: tuple[Layer, ...]
    server_name: str = HOST
    order: tuple[int, ...] | None = None
    left_out: frozenset[int] = frozenset()
    """Places of layers that are not sent; the root never is."""

    @property
    def leaf(self) -> int:
        """The place of the leaf."""
        return len(self.layers) - 1

    def changed(self, place: int, change: Callable[[Layer], Layer]) -> Plan:
        """The plan with one layer changed. Those below stay as they are."""
        return replace(self, layers=(*self.layers[:place], change(self.layers[place]), *self.layers[place + 1 :]))

    def chain(self, defect: str = "", rule: str = "", place: int | None = None) -> Chain:
        """All signed."""
        made = [layer.signed() for layer in self.layers]
        between = list(range(self.leaf - 1, 0, -1))
        order = [between[one] for one in self.order] if self.order is not None else between
        sent = [self.leaf, *order]
        shown = tuple(made[one] for one in sent if one not in self.left_out)
        return Chain(shown, (made[0],), self.server_name, float(TIME), defect, rule, None if place is None else self.leaf - place)


def plan(depth: int = 1, *, names: tuple[str, ...] = (HOST,), kinds: tuple[str, ...] = (), subject: str | None = None) -> Plan:
    """A root, `depth` intermediates and a leaf in which nothing is wrong. `kinds` are those of their keys, root first; else P-256.

    The first of `names` is what is asked for: a wildcard stands for a name below it.
    """
    serials = count(1_000_001)
    chosen = [*kinds, *["secp256r1"] * (depth + 2 - len(kinds))][: depth + 2]
    layers = [_root(next(serials), chosen[0])]
    for number in range(1, depth + 1):
        layers.append(_authority(layers[-1], number, next(serials), chosen[number]))
    layers.append(_leaf(layers[-1], names, next(serials), chosen[-1], subject))
    return Plan(tuple(layers), names[0].replace("*", "www"))


def common_name(text: str) -> bytes:
    """The name of an authority."""
    return drafts.name((oids.ORGANIZATION, "puretls.testing"), (oids.COMMON_NAME, text))


def _draft(subject: bytes, issuer: bytes, serial: int, own: PrivateKey) -> CertificateDraft:
    return CertificateDraft(subject, issuer, serial, TIME - YEAR, TIME + YEAR, spki_bytes(own.public))


def _authority_extensions(own: PrivateKey, above: PrivateKey) -> dict[str, bytes]:
    return {
        "basic_constraints": drafts.basic_constraints(True),
        "key_usage": drafts.key_usage(drafts.KEY_CERT_SIGN, drafts.CRL_SIGN),
        "subject_key_identifier": drafts.subject_key_identifier(own.public),
        "authority_key_identifier": drafts.authority_key_identifier(above.public),
    }


def _root(serial: int, kind: str) -> Layer:
    own = key("root", kind)
    name = common_name("root")
    return Layer(_draft(name, name, serial, own), _authority_extensions(own, own), own, own)


def _authority(above: Layer, number: int, serial: int, kind: str) -> Layer:
    own = key(f"authority {number}", kind)
    draft = _draft(common_name(f"authority {number}"), above.draft.subject, serial, own)
    return Layer(draft, _authority_extensions(own, above.key), own, above.key)


def _leaf(above: Layer, names: tuple[str, ...], serial: int, kind: str, subject: str | None) -> Layer:
    own = key("leaf", kind)
    shown = drafts.name((oids.COMMON_NAME, subject)) if subject else drafts.name()
    usage = (drafts.DIGITAL_SIGNATURE, drafts.KEY_ENCIPHERMENT) if kind.startswith("rsa") else (drafts.DIGITAL_SIGNATURE,)
    extensions = {
        "key_usage": drafts.key_usage(*usage),
        "extended_key_usage": drafts.extended_key_usage(oids.SERVER_AUTH),
        "subject_alt_name": drafts.subject_alt_name(names, critical=not subject),
        "subject_key_identifier": drafts.subject_key_identifier(own.public),
        "authority_key_identifier": drafts.authority_key_identifier(above.key.public),
    }
    return Layer(_draft(shown, above.draft.subject, serial, own), extensions, own, above.key)


# What came of it


@frozen
class Chain:
    """A chain as a server sends it, leaf first, without the root, and what a validator should say of it.

    `defect` is the name of what is wrong, "" if nothing is; `rule` the rule of puretls that refuses it (see `puretls.x509.reports.rules`);
    `index` which certificate is at fault, 0 for the leaf. `time` is in seconds since 1970.
    """

    certificates: tuple[bytes, ...] = field(repr=False)
    anchors: tuple[bytes, ...] = field(repr=False)
    server_name: str
    time: float
    defect: str = ""
    rule: str = ""
    index: int | None = None

    @property
    def accepted(self) -> bool:
        """The expected verdict."""
        return not self.defect

    @property
    def request(self) -> ChainRequest:
        """What a verifier of puretls is asked."""
        return ChainRequest(self.certificates, "server", self.server_name, self.time)

    def verify(self, **options: Any) -> Report:
        """What puretls says of it; `options` are those of `chain_verifier`."""
        return chain_verifier(self.anchors, provider=provider_of_signers(), **options)(self.request)

    def lines(self, width: int = WIDTH) -> Iterator[str]:
        """The certificate at fault, byte by byte; of a chain without fault the leaf."""
        der = self.certificates[min(self.index or 0, len(self.certificates) - 1)]
        return hexdump(of_spans(der, annotate(der)), width)

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:
        """For hypothesis: what it is, and the map of the certificate at fault as comments."""
        wrong = f"defect {self.defect!r} in certificate {self.index}" if self.defect else "no defect"
        printer.text(f"{counted(len(self.certificates), 'certificate')} for {self.server_name!r}, {wrong}")
        print_lines(printer, self.lines())
