# SPDX-License-Identifier: GPL-2.0
# bash completion of sockstat, of knetstat                            -*- shell-script -*-

# A list of words, separated by commas: the last one is completed.
_knetstat_list()
{
	local before=

	[[ $cur != *,* ]] || before=${cur%,*},
	COMPREPLY=($(compgen -P "$before" -W "$1" -- "${cur##*,}"))
	compopt -o nospace
}

_knetstat_sockstat()
{
	local cur prev words cword

	_init_completion || return
	case $prev in
	-P|--protocols)
		_knetstat_list 'tcp tcp4 tcp6 tcp46 udp udp4 udp6 udp46 raw raw4 raw6 icmp icmp4 icmp6
			packet unix stream dgram seqpacket' ;;
	-o|--columns)
		_knetstat_list 'netns inode state cc held queues recv-q send-q diag drops cgroup
			options args all' ;;
	--held) _knetstat_list 'fd queue syn tw orphan kernel -' ;;
	-U|-F|--user) _allowed_users ;;
	--pid) _pids ;;
	--command) _pnames ;;
	-j|-z|--netns)
		COMPREPLY=($(compgen -W "all $(ls /run/netns 2> /dev/null)" -- "$cur")) ;;
	--proc|--cgroup) _filedir -d ;;
	--with|--without)
		# They are in the tables: those that some socket here has.
		COMPREPLY=($(compgen -W "$(cat /proc/net/{tcp,tcp6,udp,udp6}stat 2> /dev/null |
			grep -oE '[A-Z][A-Z0-9]+_[A-Z0-9_]+=' | tr -d = | sort -u)" -- "$cur")) ;;
	-p|--ports) ;;
	*)
		[[ $cur != -* ]] || COMPREPLY=($(compgen -W '-4 --ipv4 -6 --ipv6 -u --unix
			-c --connected -l --listening -L --no-loopback -p --ports -P --protocols
			-U -F --user --pid --command --cgroup --held --trouble --with --without
			-j -z --netns -o --columns -Z --show-netns -i --inode -s --state
			-C --congestion -a --args -n --numeric -w --wide -H -q --no-header -v --verbose
			-J --json --json-array --proc -h --help --version' -- "$cur")) ;;
	esac
} &&
	complete -F _knetstat_sockstat sockstat
