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
    """Transfers."""
    long_only("long:selftests")
    twice("./mptcp_connect.sh", folder="mptcp", deadline=3000)


@test
def join():
    """Sessions of several subflows."""
    long_only("long:selftests")
    twice("./mptcp_join.sh", folder="mptcp", deadline=3000)
