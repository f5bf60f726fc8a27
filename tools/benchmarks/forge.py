"""Chains that cost the most to judge, made by whoever has a key under a trusted root."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import replace
from itertools import product

from puretls.ca import DevelopmentCa
from puretls.crypto.keys import RsaPublicKey
from puretls.der import oids, writer
from puretls.x509 import drafts
from puretls.x509.drafts import CertificateDraft
from puretls.x509.keys import spki_bytes

NOW = 1_790_000_000
NAME = "www.example.test"
YEAR = 365 * 86_400


class Forge:
    """Certificates that nobody has signed, around one authority that is trusted."""

    def __init__(self) -> None:
        self.ca = DevelopmentCa.create(os.urandom, NOW)
        self.issued = self.ca.issue([NAME], usage="both")
        self.spkis = [spki_bytes(self.ca.provider.generate("secp256r1", os.urandom).public) for _ in range(8)]
        self.serial = 0

    def certificate(self, subject: bytes, issuer: bytes, *more: bytes, key: int = 0, is_ca: bool = True, rsa: int = 0) -> bytes:
        """`rsa`: bytes of an RSA signature instead of one by ECDSA."""
        basic = drafts.basic_constraints(True) if is_ca else drafts.subject_alt_name([NAME])
        self.serial += 1
        draft = CertificateDraft(
            subject, issuer, 1 << 64 | self.serial, NOW - YEAR, NOW + YEAR, self.spkis[key % 8], (basic, *more)
        )
        signature = writer.sequence(writer.integer(1 << 255), writer.integer(self.serial))
        identifier = writer.sequence(writer.oid(oids.ECDSA_WITH_SHA256))
        if rsa:
            signature, identifier = bytes((1,)) * rsa, writer.sequence(writer.oid(oids.SHA256_WITH_RSA), writer.null())
        return writer.sequence(draft.tbs(identifier), identifier, writer.bit_string(signature))

    def leaf(self, issuer: bytes) -> bytes:
        return self.certificate(text_name("leaf"), issuer, key=7, is_ca=False)

    def mesh(self, names: list[bytes], *more: bytes, trusted: bool = False) -> list[bytes]:
        """A leaf below CAs that have all signed each other, or have all one name; with `trusted`, all below the anchor too."""
        made = [self.certificate(name, above, *more, key=i) for (i, name), above in product(enumerate(names), names) if above != name]
        above = [self.certificate(name, self.ca.root.name, *more, key=i) for i, name in enumerate(names) if trusted]
        return [self.leaf(names[0]), *made[: 127 - len(above)], *above]

    def line(self, subjects: list[bytes], more: Callable[[int], tuple[bytes, ...]]) -> list[bytes]:
        """A leaf below these CAs, the last of which says that it is issued by the anchor."""
        above = [*subjects[1:], self.ca.root.name]
        path = [self.certificate(s, a, *more(i), key=i) for i, (s, a) in enumerate(zip(subjects, above, strict=True))]
        return [self.leaf(subjects[0]), *path]


def text_name(*values: str) -> bytes:
    return drafts.name(*((oids.ORGANIZATION, value) for value in values))


def marks(length: int, salt: int) -> str:
    """Combining marks in descending classes, which are the dearest to put into order."""
    return chr(0x61 + salt) + "".join(c * (length // 5) for c in ("\u0345", "\u0301", "\u0323", "\u0327", "\u0334"))


def named_constraints(*bases: bytes) -> bytes:
    subtrees = writer.explicit(1, *(writer.sequence(base) for base in bases))
    return drafts.extension(oids.NAME_CONSTRAINTS, writer.sequence(subtrees), critical=True)


def policies(count: int) -> bytes:
    listed = writer.sequence(*(writer.sequence(writer.oid(f"1.3.6.1.4.1.5.{n}")) for n in range(count)))
    return drafts.extension(oids.CERTIFICATE_POLICIES, listed)


def hostile_chains(forge: Forge) -> dict[str, list[bytes]]:
    """The worst chains, by what makes them so."""
    small = [text_name(f"mesh {n}") for n in range(8)]
    wide = [text_name(*("x" * 8,) * 400, str(n)) for n in range(8)]
    marked = [text_name(*(marks(250, n) for _ in range(16))) for n in range(8)]
    rdns = [text_name(*(f"{n}.{i}" for i in range(500))) for n in range(15)]
    lined = [text_name(f"line {n}") for n in range(15)]
    labels = "a." * 120 + "test"
    return {
        "a leaf and eight CAs with names of 4,000 combining marks": [
            forge.leaf(text_name(marks(4000, 0))),
            *(forge.certificate(text_name(marks(4000, n)), text_name(marks(4000, n))) for n in range(8)),
        ],
        "the same in values as long as are prepared": [forge.leaf(marked[0]), *(forge.certificate(n, n) for n in marked)],
        "eight small CAs that sign each other": forge.mesh(small),
        "eight small CAs that sign each other, and say that the anchor signs them": forge.mesh(small, trusted=True),
        "eight CAs with 400 relative names each": forge.mesh(wide)[:20],
        "126 CAs of one name": [forge.leaf(small[0]), *(forge.certificate(small[0], small[0], key=n) for n in range(126))],
        "126 CAs that say that the anchor signs them": [
            forge.leaf(small[0]),
            *(forge.certificate(small[0], forge.ca.root.name, key=n) for n in range(126)),
        ],
        "fifteen CAs that constrain names of 500 relative names": forge.line(
            rdns, lambda i: (named_constraints(writer.explicit(4, text_name(*(f"{i}.{n}" for n in range(499)), "no"))),)
        ),
        "fifteen CAs that constrain hosts, with hosts of 120 labels": forge.line(
            lined,
            lambda i: (
                named_constraints(*(writer.implicit(2, f"x{n}.test".encode()) for n in range(20))),
                drafts.extension(oids.SUBJECT_ALT_NAME, writer.sequence(*(writer.implicit(2, labels.encode()),) * 20)),
            ),
        ),
        "small CAs in many paths, with 100 policies each": forge.mesh(small[:5], policies(100), trusted=True),
        "an RSA key of 8,192 bits with an exponent of 32": _large_key(forge),
    }


def _large_key(forge: Forge) -> list[bytes]:
    """A CA that is signed, with the dearest key that is let through."""
    key = RsaPublicKey((1 << 8191) + 1, (1 << 32) - 1)
    subject = text_name("large")
    draft = replace(forge.ca.issue([NAME]).draft, subject=subject, spki=spki_bytes(key), extensions=(drafts.basic_constraints(True),))
    return [forge.certificate(text_name("leaf"), subject, is_ca=False, rsa=1024), forge.ca.sign(draft), *forge.issued.chain[1:]]
