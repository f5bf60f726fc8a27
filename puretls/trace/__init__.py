"""The trace: every record and message of a connection with its bytes, and what each byte means, computed when asked.

Capturing is always on and cheap; decoding is lazy; the store is bounded. Application data is kept by size only unless the level is
"full". No secret enters: entries hold what was on the wire and what it decrypts to, state names, never contexts.
"""

from puretls.trace.entry import Entry, Layer
from puretls.trace.explanation import Explanation
from puretls.trace.trace import Trace

__all__ = ["Entry", "Explanation", "Layer", "Trace"]
