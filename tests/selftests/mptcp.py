# SPDX-License-Identifier: GPL-2.0
"""The kernel's own tests of MPTCP."""

from lib.ktap import cases, long_only, test
from selftests.twice import twice


@test
def scripts():
    """Those of sockets, diag and netlink."""
    long_only("long:selftests")
    cases(("diag.sh", "pm_netlink.sh", "mptcp_sockopt.sh", "userspace_pm.sh"),
          lambda name: twice(f"./{name}", folder="mptcp"))


@test
def connect():
    """Transfers, of files that the debug kernel gets through."""
    long_only("long:selftests")
    cases(("", "_checksum", "_mmap", "_sendfile"),
          lambda name: twice(f"./mptcp_connect{name}.sh", "-f", "100000", folder="mptcp",
                             deadline=3000))


@test
def join():
    """Sessions of several subflows, by the letters of the script's groups."""
    long_only("long:selftests")
    cases("fesltra64MbpkSdmzFuI",
          lambda group: twice("./mptcp_join.sh", f"-{group}", folder="mptcp", deadline=3000))
