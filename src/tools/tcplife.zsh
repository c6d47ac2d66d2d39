#compdef tcplife
# SPDX-License-Identifier: GPL-2.0
# zsh completion of tcplife, of knetstat

_arguments -s -S \
	'(-T --time)'{-T,--time}'[the time of day it ended in a first column]' \
	'(-t --timestamp)'{-t,--timestamp}'[the seconds since the first row in a first column]' \
	'(-w --wide)'{-w,--wide}'[wide columns, for IPv6 addresses and long names]' \
	'(-s --csv)'{-s,--csv}'[values separated by commas]' \
	'(-p --pid)'{-p,--pid}'[only sessions of this process]:process:_pids' \
	'(-L --localport)'{-L,--localport}'[only these local ports]:ports, such as 22,80,8000-8999' \
	'(-D --remoteport)'{-D,--remoteport}'[only these remote ports]:ports, such as 22,80,8000-8999' \
	'(-4 --ipv4 -6 --ipv6)'{-4,--ipv4}'[only IPv4]' \
	'(-4 --ipv4 -6 --ipv6)'{-6,--ipv6}'[only IPv6]' \
	'(-u --user)'{-u,--user}'[only sockets of these users]:user:_sequence _users' \
	'--netns[only this network namespace]:network namespace:_files -W /run/netns' \
	'--cgroup[only this cgroup (v2) and those below]:cgroup:_files -W /sys/fs/cgroup -/' \
	'(-a --all -l --live --state)'{-a,--all}'[begin with the sessions that have ended already]' \
	'(-a --all -l --live --state)'{-l,--live}'[print the sessions that are alive now, and end]' \
	'(-a --all -l --live)--state[print what has ended since the last run, and end]:state:_files' \
	'(-f --follow)'{-f,--follow}'[with --state: go on, as without]' \
	'(-x --extended)'{-x,--extended}'[all columns of the file]' \
	'(-J --json)'{-J,--json}'[a JSON object for each session]' \
	'--json-array[the same, as one JSON array]' \
	'(-n --count)'{-n,--count}'[stop after so many sessions]:number' \
	"--proc[the host's procfs]:directory:_files -/" \
	'(- *)'{-h,--help}'[print help]' \
	'(- *)--version[print the version]'
