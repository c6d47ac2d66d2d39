# SPDX-License-Identifier: GPL-2.0
"""The kernel's own tests of TCP's authentication option."""

from lib.ktap import LONG, cases, test
from selftests.twice import twice

NAMES = ("setsockopt-closed", "connect", "key-management", "rst", "self-connect", "unsigned-md5",
         "restore", "seq-ext", "connect-deny", "icmps-accept", "icmps-discard", "bench-lookups")


@test
def programs():
    """Over IPv4 and IPv6: one of them, or all where there is time."""
    cases([f"./{name}_{family}" for name in (NAMES if LONG else NAMES[:1])
           for family in ("ipv4", "ipv6")],
          lambda name: twice(name, folder="tcp_ao"))
