# SPDX-License-Identifier: GPL-2.0
"""The kernel's own tests of TCP's authentication option."""

from lib.ktap import LONG, cases, test
from selftests.twice import twice

NAMES = ("setsockopt-closed", "connect", "key-management", "rst", "self-connect", "unsigned-md5",
         "restore", "seq-ext", "connect-deny", "icmps-accept", "icmps-discard", "bench-lookups")


@test
def programs():
    """Over IPv4 and IPv6, where there is time; or one of them."""
    names = [f"./{name}_{family}" for name in NAMES for family in ("ipv6", "ipv4")]
    cases(names if LONG else names[:1], lambda name: twice(name, folder="tcp_ao"))
