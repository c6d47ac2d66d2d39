# SPDX-License-Identifier: GPL-2.0
"""The kernel's own tests of TCP and UDP sockets."""

from lib.ktap import cases, long_only, test
from selftests.twice import twice

QUICK = ("./reuseport_bpf", "./bind_timewait", "./sk_so_peek_off")
OTHERS = ("./reuseport_dualstack", "./reuseaddr_conflict", "./sk_bind_sendto_listen",
          "./reuseport_bpf_cpu", "./reuseport_addr_any.sh", "./bind_wildcard",
          "./sk_connect_zero_addr", "./so_netns_cookie", "./so_incoming_cpu",
          "./epoll_busy_poll", "./socket", "./psock_snd.sh", "./cmsg_so_mark.sh",
          "./cmsg_time.sh", "./cmsg_ipv6.sh", "./ip_local_port_range.sh", "./netns-sysctl.sh",
          "./tls", "./txtimestamp.sh", "./rxtimestamp.sh", "./so_txtime.sh", "./udpgso.sh",
          "./msg_zerocopy.sh", "./fin_ack_lat.sh", "./bind_bhash.sh", "./ipv6_flowlabel.sh",
          "./reuseaddr_ports_exhausted.sh", "./stress_reuseport_listen.sh",
          "./tcp_fastopen_backup_key.sh")


@test
def quick():
    """Those that take seconds, which are most of what the module could disturb."""
    cases(QUICK, twice)


@test
def others():
    """All others."""
    long_only("long:selftests")
    cases(OTHERS, lambda name: twice(name, deadline=3000))
