// SPDX-License-Identifier: GPL-2.0
/*
 * Collects the options of a socket that is not locked.
 *
 * What is read is what getsockopt(2) reads. It holds the socket's lock for some
 * of it; here a bucket's spinlock keeps the socket from going away, and each
 * field is read once, so an option is either the old or the new value.
 *
 * Names of congestion controls and upper layer protocols are in modules, which
 * wait for a grace period before they go; names of interfaces are freed by RCU:
 * the caller is in an RCU read-side critical section until the row is written.
 */
#include <linux/netdevice.h>
#include <net/inet_connection_sock.h>
#include <net/ip.h>
#include <net/tcp.h>
#include <net/udp.h>

#include "compat.h"
#include "sockopt.h"

/*
 * What is a bit field, at least in some kernels, READ_ONCE() can't read. A data race
 * while setsockopt() changes it or one beside it: both values are right.
 */
#define sockopt_bits(field)	data_race((int)(field))

/* The interface's name, or as ss(8) does where it is gone, its number. */
static void sockopt_device(struct options *opts, struct net *net, int ifindex)
{
	const struct net_device *dev = dev_get_by_index_rcu(net, ifindex);

	static_assert(sizeof("if4294967295") <= sizeof(opts->ifname));
	if (dev)
		memcpy(opts->ifname, dev->name, sizeof(opts->ifname));
	else	/* Of any sign: a bind() that fails leaves its scope ID there. */
		*field_u64(field_str(opts->ifname, "if"), (u32)ifindex) = '\0';
	options_set_text(opts, OPTION_SO_BINDTODEVICE, opts->ifname);
}

/* SOL_SOCKET, for TCP and UDP alike. */
static __always_inline void sockopt_socket(struct options *opts,
					   const struct sock *sk,
					   const struct row_reader *reader)
{
	const unsigned long rare = BIT(SOCK_LINGER) | BIT(SOCK_URGINLINE) |
				   BIT(SOCK_ZEROCOPY) | BIT(SOCK_TXTIME);
	unsigned long flags = READ_ONCE(sk->sk_flags);
	int ifindex = READ_ONCE(sk->sk_bound_dev_if);
	unsigned long rate = READ_ONCE(sk->sk_max_pacing_rate);
	long rcvtimeo = READ_ONCE(sk->sk_rcvtimeo);
	long sndtimeo = READ_ONCE(sk->sk_sndtimeo);
	u32 priority = READ_ONCE(sk->sk_priority);
	u32 tsflags = READ_ONCE(sk->sk_tsflags);
	u32 mark = READ_ONCE(sk->sk_mark);
	int lowat = READ_ONCE(sk->sk_rcvlowat);
	u8 userlocks = sockopt_bits(sk->sk_userlocks);

	opts->reuse = sockopt_bits(sk->sk_reuse);
	opts->reuseport = sockopt_bits(sk->sk_reuseport);

	if (unlikely(userlocks & SOCK_RCVBUF_LOCK))
		options_set(opts, OPTION_SO_RCVBUF, READ_ONCE(sk->sk_rcvbuf) / 2);
	if (unlikely(userlocks & SOCK_SNDBUF_LOCK))
		options_set(opts, OPTION_SO_SNDBUF, READ_ONCE(sk->sk_sndbuf) / 2);
	if (unlikely(rcvtimeo != MAX_SCHEDULE_TIMEOUT))
		options_set(opts, OPTION_SO_RCVTIMEO, rcvtimeo);
	if (unlikely(sndtimeo != MAX_SCHEDULE_TIMEOUT))
		options_set(opts, OPTION_SO_SNDTIMEO, sndtimeo);
	if (unlikely(ifindex))
		sockopt_device(opts, reader->net, ifindex);
	if (unlikely(priority))
		options_set(opts, OPTION_SO_PRIORITY, priority);
	/* As inet_diag does: the mark is the administrator's. */
	if (unlikely(mark) && reader->net_admin)
		options_set(opts, OPTION_SO_MARK, mark);
	if (unlikely(lowat != 1))
		options_set(opts, OPTION_SO_RCVLOWAT, lowat);
#ifdef CONFIG_NET_RX_BUSY_POLL
	if (unlikely(READ_ONCE(sk->sk_ll_usec)))
		options_set(opts, OPTION_SO_BUSY_POLL, READ_ONCE(sk->sk_ll_usec));
#endif
	if (unlikely(rate != ~0UL))
		options_set(opts, OPTION_SO_MAX_PACING_RATE, rate);
	if (unlikely(tsflags))
		options_set(opts, OPTION_SO_TIMESTAMPING, tsflags);
	if (unlikely(sockopt_bits(sk->sk_no_check_tx)))
		options_set(opts, OPTION_SO_NO_CHECK, 1);

	if (likely(!(flags & rare)))
		return;
	/* getsockopt's l_linger is an int. */
	if (flags & BIT(SOCK_LINGER))
		options_set(opts, OPTION_SO_LINGER,
			    (s64)(int)(READ_ONCE(sk->sk_lingertime) / HZ));
	if (flags & BIT(SOCK_URGINLINE))
		options_set(opts, OPTION_SO_OOBINLINE, 1);
	if (flags & BIT(SOCK_ZEROCOPY))
		options_set(opts, OPTION_SO_ZEROCOPY, 1);
	if (flags & BIT(SOCK_TXTIME))
		options_set(opts, OPTION_SO_TXTIME,
			    OPTIONS_TXTIME(sockopt_bits(sk->sk_clockid),
					   (sockopt_bits(sk->sk_txtime_deadline_mode) ?
					    SOF_TXTIME_DEADLINE_MODE : 0) |
					   (sockopt_bits(sk->sk_txtime_report_errors) ?
					    SOF_TXTIME_REPORT_ERRORS : 0)));
}

/* SOL_IP and SOL_IPV6, for TCP and UDP alike. */
static __always_inline void sockopt_ip(struct options *opts, struct sock *sk,
				       const struct row_reader *reader)
{
	const struct inet_sock *inet = inet_sk(sk);
	u8 pmtudisc = READ_ONCE(inet->pmtudisc);
	u8 tos = READ_ONCE(inet->tos);
	int ttl = READ_ONCE(inet->uc_ttl);

	if (unlikely(tos))
		options_set(opts, OPTION_IP_TOS, tos);
	if (unlikely(ttl >= 0) &&
	    ttl != READ_ONCE(reader->net->ipv4.sysctl_ip_default_ttl))
		options_set(opts, OPTION_IP_TTL, ttl);
	if (unlikely(pmtudisc != reader->pmtudisc))
		options_set(opts, OPTION_IP_MTU_DISCOVER, pmtudisc);
	if (unlikely(inet_test_bit(FREEBIND, sk)))
		options_set(opts, OPTION_IP_FREEBIND, 1);
	if (unlikely(inet_test_bit(TRANSPARENT, sk)))
		options_set(opts, OPTION_IP_TRANSPARENT, 1);
	if (unlikely(inet_test_bit(BIND_ADDRESS_NO_PORT, sk)))
		options_set(opts, OPTION_IP_BIND_ADDRESS_NO_PORT, 1);
	if (unlikely(inet_test_bit(RECVERR, sk)))
		options_set(opts, OPTION_IP_RECVERR, 1);

#if IS_ENABLED(CONFIG_IPV6)
	if (READ_ONCE(sk->sk_family) == AF_INET6) {
		const struct ipv6_pinfo *np = inet6_sk(sk);
		bool v6only = sockopt_bits(sk->sk_ipv6only);
		int hops;
		u8 tclass;

		if (unlikely(v6only != reader->v6only))
			options_set(opts, OPTION_IPV6_V6ONLY, v6only);
		if (unlikely(!np))
			return;
		tclass = READ_ONCE(np->tclass);
		if (unlikely(tclass))
			options_set(opts, OPTION_IPV6_TCLASS, tclass);
		hops = sockopt_bits(np->hop_limit);
		if (unlikely(hops >= 0) &&
		    hops != READ_ONCE(reader->net->ipv6.devconf_all->hop_limit))
			options_set(opts, OPTION_IPV6_UNICAST_HOPS, hops);
		if (unlikely(inet6_test_bit(RECVERR6, sk)))
			options_set(opts, OPTION_IPV6_RECVERR, 1);
	}
#endif
}

/* What getsockopt(TCP_MAXSEG) says, once the program has set it. */
static int sockopt_maxseg(const struct tcp_sock *tp, int state)
{
	if (sockopt_bits(tp->repair))
		return READ_ONCE(tp->rx_opt.mss_clamp);
	if (state == TCP_CLOSE || state == TCP_LISTEN)
		return READ_ONCE(tp->rx_opt.user_mss);
	return READ_ONCE(tp->mss_cache);
}

/* Options that default to the namespace's sysctls unless set on the socket. */
static void sockopt_tcp_sysctls(struct options *opts, struct sock *sk)
{
	const struct netns_ipv4 *defaults = &sock_net(sk)->ipv4;
	const struct tcp_sock *tp = tcp_sk(sk);
	u32 idle = READ_ONCE(tp->keepalive_time);
	u32 intvl = READ_ONCE(tp->keepalive_intvl);
	u8 cnt = READ_ONCE(tp->keepalive_probes);
	u8 syncnt = READ_ONCE(inet_csk(sk)->icsk_syn_retries);
	int linger2 = READ_ONCE(tp->linger2);

	if (idle && idle != READ_ONCE(defaults->sysctl_tcp_keepalive_time))
		options_set(opts, OPTION_TCP_KEEPIDLE, idle / HZ);
	if (intvl && intvl != READ_ONCE(defaults->sysctl_tcp_keepalive_intvl))
		options_set(opts, OPTION_TCP_KEEPINTVL, intvl / HZ);
	if (cnt && cnt != READ_ONCE(defaults->sysctl_tcp_keepalive_probes))
		options_set(opts, OPTION_TCP_KEEPCNT, cnt);
	if (syncnt && syncnt != READ_ONCE(defaults->sysctl_tcp_syn_retries))
		options_set(opts, OPTION_TCP_SYNCNT, syncnt);
	if (linger2 < 0)
		options_set(opts, OPTION_TCP_LINGER2, (s64)linger2);
	else if (linger2 &&
		 linger2 != READ_ONCE(defaults->sysctl_tcp_fin_timeout))
		options_set(opts, OPTION_TCP_LINGER2, linger2 / HZ);
}

/* The socket signs or checks segments with TCP-MD5 or TCP-AO keys. */
static void sockopt_tcp_keys(struct options *opts, const struct tcp_sock *tp)
{
#ifdef CONFIG_TCP_MD5SIG
	const struct tcp_md5sig_info *md5 = rcu_dereference(tp->md5sig_info);

	if (md5 && !hlist_empty(&md5->head))
		options_set(opts, OPTION_TCP_MD5SIG, 1);
#endif
#ifdef CONFIG_TCP_AO
	const struct tcp_ao_info *ao = rcu_dereference(tp->ao_info);

	if (ao && !hlist_empty(&ao->head))
		options_set(opts, OPTION_TCP_AO, 1);
#endif
}

/**
 * sockopt_tcp() - collect the options of a TCP socket
 * @opts: where to
 * @sk: the socket; a full one, neither TIME_WAIT nor a request
 * @reader: for whom
 *
 * Context: The socket's hash bucket is locked; RCU read-side critical section,
 * which must last until @opts has been written.
 */
void sockopt_tcp(struct options *opts, struct sock *sk,
		 const struct row_reader *reader)
{
	const struct inet_connection_sock *icsk = inet_csk(sk);
	const struct tcp_congestion_ops *ca = READ_ONCE(icsk->icsk_ca_ops);
	const struct tcp_ulp_ops *ulp = READ_ONCE(icsk->icsk_ulp_ops);
	const struct tcp_sock *tp = tcp_sk(sk);
	u32 user_timeout = READ_ONCE(icsk->icsk_user_timeout);
	u32 notsent_lowat = READ_ONCE(tp->notsent_lowat);
	u8 defer = READ_ONCE(icsk->icsk_accept_queue.rskq_defer_accept);
	u8 nonagle = sockopt_bits(tp->nonagle);
	u8 save_syn = sockopt_bits(tp->save_syn);
	int state = inet_sk_state_load(sk);

	opts->set = 0;
	opts->keepalive = sock_flag(sk, SOCK_KEEPOPEN);
	opts->nodelay = !!(nonagle & TCP_NAGLE_OFF);
	sockopt_socket(opts, sk, reader);
	sockopt_ip(opts, sk, reader);

	if (unlikely(state == TCP_LISTEN))
		options_set(opts, OPTION_TCP_FASTOPEN,
			    READ_ONCE(icsk->icsk_accept_queue.fastopenq.max_qlen));
	if (unlikely(state == TCP_LISTEN || defer))
		options_set(opts, OPTION_TCP_DEFER_ACCEPT, options_defer_secs(defer));
	if (unlikely(READ_ONCE(tp->keepalive_time) |
		     READ_ONCE(tp->keepalive_intvl) |
		     READ_ONCE(tp->keepalive_probes) | READ_ONCE(tp->linger2) |
		     READ_ONCE(icsk->icsk_syn_retries)))
		sockopt_tcp_sysctls(opts, sk);
	if (unlikely(user_timeout))
		options_set(opts, OPTION_TCP_USER_TIMEOUT, user_timeout);
	if (unlikely(READ_ONCE(tp->rx_opt.user_mss)))
		options_set(opts, OPTION_TCP_MAXSEG, sockopt_maxseg(tp, state));
	if (unlikely(nonagle & TCP_NAGLE_CORK))
		options_set(opts, OPTION_TCP_CORK, 1);
	if (unlikely(sockopt_bits(tp->fastopen_connect)))
		options_set(opts, OPTION_TCP_FASTOPEN_CONNECT, 1);
	if (unlikely(sockopt_bits(tp->fastopen_no_cookie)))
		options_set(opts, OPTION_TCP_FASTOPEN_NO_COOKIE, 1);
	if (unlikely(notsent_lowat))
		options_set(opts, OPTION_TCP_NOTSENT_LOWAT, notsent_lowat);
	if (unlikely(save_syn))
		options_set(opts, OPTION_TCP_SAVE_SYN, save_syn);
	if (unlikely(sockopt_bits(tp->thin_lto)))
		options_set(opts, OPTION_TCP_THIN_LINEAR_TIMEOUTS, 1);
	if (unlikely(sockopt_bits(tp->repair)))
		options_set(opts, OPTION_TCP_REPAIR, 1);
	if (unlikely(ca != reader->congestion) && ca)
		options_set_text(opts, OPTION_TCP_CONGESTION, ca->name);
	if (unlikely(ulp))
		options_set_text(opts, OPTION_TCP_ULP, ulp->name);
	if (reader->net_admin)
		sockopt_tcp_keys(opts, tp);
}

/**
 * sockopt_udp() - collect the options of a UDP socket
 * @opts: where to
 * @sk: the socket
 * @reader: for whom
 *
 * Context: As sockopt_tcp().
 */
void sockopt_udp(struct options *opts, struct sock *sk,
		 const struct row_reader *reader)
{
	const struct udp_sock *up = udp_sk(sk);
	u16 segment = READ_ONCE(up->gso_size);
	u8 encap = READ_ONCE(up->encap_type);

	opts->set = 0;
	opts->broadcast = sock_flag(sk, SOCK_BROADCAST);
	sockopt_socket(opts, sk, reader);
	sockopt_ip(opts, sk, reader);

	if (unlikely(udp_test_bit(CORK, sk)))
		options_set(opts, OPTION_UDP_CORK, 1);
	if (unlikely(segment))
		options_set(opts, OPTION_UDP_SEGMENT, segment);
	if (unlikely(udp_test_bit(GRO_ENABLED, sk)))
		options_set(opts, OPTION_UDP_GRO, 1);
	if (unlikely(encap))
		options_set(opts, OPTION_UDP_ENCAP, encap);
	if (unlikely(udp_test_bit(NO_CHECK6_TX, sk)))
		options_set(opts, OPTION_UDP_NO_CHECK6_TX, 1);
	if (unlikely(udp_test_bit(NO_CHECK6_RX, sk)))
		options_set(opts, OPTION_UDP_NO_CHECK6_RX, 1);
}
