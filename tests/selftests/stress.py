# SPDX-License-Identifier: GPL-2.0
"""stress-ng's stressors of sockets."""

from lib.ktap import LONG, cases, test
from selftests.twice import twice

STRESSORS = ("sock", "epoll", "sockfd", "sockabuse", "sockdiag", "sockmany", "sockpair", "udp",
             "udp-flood", "netdev", "rawsock", "rawpkt", "rawudp", "sendfile", "netlink-proc",
             "icmp-flood")


@test
def stressors():
    """So many operations of each, by two at a time."""
    names, ops = (STRESSORS, 2000) if LONG else (STRESSORS[:2], 100)
    cases(names, lambda name: twice("stress-ng", "--oomable", f"--{name}", "2", f"--{name}-ops",
                                    str(ops), "--timeout", "100"))
