"""Certificate chains with exactly one thing wrong, or nothing, and the verdict that they deserve; CRLs and OCSP responses likewise.

A `Plan` says what is to be signed; a row of `DEFECTS` changes it in one place. All is signed with real keys, so that any validator can be
asked: `chain.certificates`, `chain.anchors`, `chain.server_name`, `chain.time` are what it needs, `chain.accepted` is what it should say.
"""

from puretls.testing.pki.defects import DEFECTS, Defect, defect_named
from puretls.testing.pki.plans import HOST, TIME, Chain, Layer, Plan, key, plan
from puretls.testing.pki.statuses import STATUS_DEFECTS, Status, status

__all__ = [
    "DEFECTS",
    "HOST",
    "STATUS_DEFECTS",
    "TIME",
    "Chain",
    "Defect",
    "Layer",
    "Plan",
    "Status",
    "defect_named",
    "key",
    "plan",
    "status",
]
