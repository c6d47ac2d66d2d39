#compdef sockstat
# SPDX-License-Identifier: GPL-2.0
# zsh completion of sockstat, of knetstat

local -a options

# They are in the tables: those that some socket here has.
options=(${(u)${(M)${=${(f)"$(cat /proc/net/{tcp,tcp6,udp,udp6}stat 2> /dev/null |
	grep -oE '[A-Z][A-Z0-9]+_[A-Z0-9_]+=')"}}#*=}%=})

_arguments -s -S \
	'(-4 --ipv4)'{-4,--ipv4}'[only what serves IPv4]' \
	'(-6 --ipv6)'{-6,--ipv6}'[only what serves IPv6]' \
	'(-u --unix)'{-u,--unix}'[Unix sockets]' \
	'(-c --connected)'{-c,--connected}'[only connected sockets]' \
	'(-l --listening)'{-l,--listening}'[only listening sockets, and others that are bound]' \
	'(-L --no-loopback)'{-L,--no-loopback}'[not those with a loopback address]' \
	'(-p --ports)'{-p,--ports}'[only these ports, on either side]:ports, such as 22,80,8000-8999' \
	'(-P --protocols)'{-P,--protocols}'[only these protocols]:protocol:_sequence compadd - tcp tcp4 tcp6 tcp46 udp udp4 udp6 udp46 raw raw4 raw6 icmp icmp4 icmp6 packet unix stream dgram seqpacket' \
	'(-U -F --user)'{-U,-F,--user}'[only sockets of this user]:user:_users' \
	'--pid[only sockets that these processes hold]:process:_sequence _pids' \
	'--command[only sockets that processes of this name hold]:command:_process_names -a' \
	'--cgroup[only sockets of this cgroup (v2) and those below]:cgroup:_files -W /sys/fs/cgroup -/' \
	'--held[only sockets that come to be so]:held:_sequence compadd - fd queue syn tw orphan kernel -' \
	'--trouble[only sockets with a mark in Diag]' \
	'*--with[only with this socket option set]:option:compadd -a options' \
	'*--without[only without this socket option]:option:compadd -a options' \
	'(-j -z --netns)'{-j,-z,--netns}'[of another network namespace, or all]:network namespace:{ compadd all; _files -W /run/netns }' \
	'(-o --columns)'{-o,--columns}'[more columns]:column:_sequence compadd - netns inode state cc held queues recv-q send-q diag drops cgroup options args all' \
	'(-Z --show-netns)'{-Z,--show-netns}'[column\: network namespace]' \
	'(-i --inode)'{-i,--inode}'[column\: inode number]' \
	'(-s --state)'{-s,--state}'[column\: state]' \
	'(-C --congestion)'{-C,--congestion}'[column\: congestion control]' \
	'(-a --args)'{-a,--args}'[column\: arguments of the process]' \
	'(-n --numeric)'{-n,--numeric}'[users and network namespaces as numbers]' \
	'(-w --wide)'{-w,--wide}'[columns as wide as what is in there]' \
	'(-H -q --no-header)'{-H,-q,--no-header}'[no header]' \
	'(-v --verbose)'{-v,--verbose}'[more columns, and how many sockets changed meanwhile]' \
	'(-J --json)'{-J,--json}'[a JSON object for each row]' \
	'--json-array[the same, as one JSON array]' \
	"--proc[the host's procfs]:directory:_files -/" \
	'(- *)'{-h,--help}'[print help]' \
	'(- *)--version[print the version]'
