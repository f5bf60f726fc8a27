#!/usr/bin/env python3
"""The shim that BoringSSL's protocol test runner drives: one process a test, told by flags what to be and what to expect.

Exit status 0: all went as the flags expect. 89: a flag of a feature that puretls does not have. 1: a failure, with what happened
on standard error: `ALERT_SENT:name`, `ALERT_RECEIVED:name` and the like, to which an ErrorMap leads the runner's expectations.
"""

from __future__ import annotations

import sys
from pathlib import Path

# The tree that the tool lies in comes first.
HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent)]

from bogo.configs import Shared  # noqa: E402
from bogo.conversation import hold  # noqa: E402
from bogo.flags import Unimplemented, Unmet, check_versions, parse_flags  # noqa: E402

from puretls import TicketKeys, UsageError  # noqa: E402

UNIMPLEMENTED, FAILED = 89, 1


def run(arguments: list[str]) -> None:
    """All connections of a test. Raises `Unimplemented` and `Unmet`."""
    first, later = parse_flags(arguments)
    if first.is_handshaker_supported:
        print("No")
        return
    for flags in (first, later):
        check_versions(flags)
    shared = Shared(TicketKeys())
    session = None
    for number in range(1 + (first.resume_count or 0)):
        flags = later if number else first
        if flags.ticket_key:
            shared.tickets.set((flags.ticket_key,))
        if number and later.renew_ticket:
            shared.tickets.rotate()
        session = hold(flags, shared, session, resumes=number > 0)
        shared.delay += flags.resumption_delay or 0


def main(arguments: list[str]) -> int:
    """The exit status."""
    try:
        run(arguments)
    except Unimplemented as error:
        print(f"UNIMPLEMENTED: {error}", file=sys.stderr)
        return UNIMPLEMENTED
    except (Unmet, OSError, UsageError) as error:
        print(error, file=sys.stderr)
        return FAILED
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
