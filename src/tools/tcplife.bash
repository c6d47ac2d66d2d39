# SPDX-License-Identifier: GPL-2.0
# bash completion of tcplife, of knetstat                             -*- shell-script -*-

_knetstat_tcplife()
{
	local cur prev words cword

	_init_completion || return
	case $prev in
	-p|--pid) _pids ;;
	-u|--user) _allowed_users ;;
	--netns)
		compopt -o filenames
		COMPREPLY=($(compgen -W "$(ls /run/netns 2> /dev/null)" -- "$cur")) ;;
	--state) _filedir ;;
	--proc|--cgroup) _filedir -d ;;
	-L|--localport|-D|--remoteport|-n|--count) ;;
	*)
		[[ $cur != -* ]] || COMPREPLY=($(compgen -W '-T --time -t --timestamp -w --wide
			-s --csv -p --pid -L --localport -D --remoteport -4 --ipv4 -6 --ipv6 -u --user
			--netns --cgroup -a --all -l --live --state -f --follow -x --extended -J --json
			--json-array -n --count --proc -h --help --version' -- "$cur")) ;;
	esac
} &&
	complete -F _knetstat_tcplife tcplife
