# SPDX-License-Identifier: GPL-2.0
# bash completion of knetstat-metrics, of knetstat                    -*- shell-script -*-

_knetstat_metrics()
{
	local cur prev words cword before=

	_init_completion || return
	[[ $cur != *,* ]] || before=${cur%,*},
	case $prev in
	-f|--format) COMPREPLY=($(compgen -W 'openmetrics prometheus' -- "$cur")) ;;
	-c|--collect)
		COMPREPLY=($(compgen -P "$before" -W 'sessions recorder trouble listeners udp
			sockets' -- "${cur##*,}"))
		compopt -o nospace ;;
	-t|--textfile|--proc) _filedir -d ;;
	-p|--ports|--limit|--timeout) ;;
	*)
		[[ $cur != -* ]] || COMPREPLY=($(compgen -W '-f --format -t --textfile --http
			-c --collect -p --ports --limit --timeout --proc -h --help --version' \
			-- "$cur")) ;;
	esac
} &&
	complete -F _knetstat_metrics knetstat-metrics
