"""The key ledger: every secret of a conversation, what it is made of, and by which formula.

Nodes are named as paths are: `master_secret`, `client_write_key`, `client.Finished.verify_data`; `#2` behind a name is that of the second
handshake. What is not known is a node without a value, and says what is missing.
"""

from __future__ import annotations

from puretls.inspect.ledger.ledger import Ledger
from puretls.inspect.ledger.nodes import Node, Ref

__all__ = ["Ledger", "Node", "Ref"]
