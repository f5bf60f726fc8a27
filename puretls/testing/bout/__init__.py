"""A bout: a connection under test, a mapper as its peer, and a judge who knows what was said and so what may come of it.

`world` is what the connections of a run share, `variants` the ways to say a message wrongly, `course` what may come next (RFC 5246 7.3),
`judge` what must come of it, `bout` the moves.
"""

from puretls.testing.bout.bout import FLOODS, RAW, Bout
from puretls.testing.bout.judge import Judge, Violation
from puretls.testing.bout.variants import DEFECTS, VARIANTS, Variant
from puretls.testing.bout.world import CLIENT, SEED, SERVER, SUITES, TICKET_KEY, World, chain_with, forget

__all__ = [
    "CLIENT",
    "DEFECTS",
    "FLOODS",
    "RAW",
    "SEED",
    "SERVER",
    "SUITES",
    "TICKET_KEY",
    "VARIANTS",
    "Bout",
    "Judge",
    "Variant",
    "Violation",
    "World",
    "chain_with",
    "forget",
]
