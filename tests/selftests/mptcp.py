# SPDX-License-Identifier: GPL-2.0
"""The kernel's own tests of MPTCP."""

from lib.ktap import cases, test
from selftests.twice import twice, where_there_is_time


@test
def scripts():
    """Those of sockets, diag and netlink."""
    where_there_is_time()
    cases(("diag.sh", "pm_netlink.sh", "mptcp_sockopt.sh", "userspace_pm.sh"),
          lambda name: twice(f"./{name}", folder="mptcp"))


@test
def connect():
    """Transfers."""
    where_there_is_time()
    twice("./mptcp_connect.sh", folder="mptcp", deadline=3000)


@test
def join():
    """Sessions of several subflows."""
    where_there_is_time()
    twice("./mptcp_join.sh", folder="mptcp", deadline=3000)
