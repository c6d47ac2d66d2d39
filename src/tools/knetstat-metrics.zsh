#compdef knetstat-metrics
# SPDX-License-Identifier: GPL-2.0
# zsh completion of knetstat-metrics, of knetstat

_arguments -s -S \
	'(-f --format)'{-f,--format}'[which text format]:format:(openmetrics prometheus)' \
	'(-t --textfile --http)'{-t,--textfile}'[write knetstat.prom into this directory]:directory:_files -/' \
	'(-t --textfile --http)--http[answer one request of HTTP]' \
	'(-c --collect)'{-c,--collect}'[only these]:family:_sequence compadd - sessions recorder trouble listeners udp sockets' \
	'(-p --ports)'{-p,--ports}'[only these ports by themselves]:ports, such as 22,80,8000-8999' \
	'--limit[at most so many of a kind by themselves]:number' \
	'--timeout[how long an HTTP client may take]:seconds' \
	"--proc[the host's procfs]:directory:_files -/" \
	'(- *)'{-h,--help}'[print help]' \
	'(- *)--version[print the version]'
