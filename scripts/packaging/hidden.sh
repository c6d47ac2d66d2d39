# shellcheck shell=sh
# /usr/local is the administrator's, and comes first in PATH.
files="@LOCAL@" hidden=
for file in $files; do
	[ ! -e "/usr/local/$file" ] || hidden="$hidden /usr/local/$file"
done
[ -z "$hidden" ] ||
	echo "knetstat-tools: what make install put into /usr/local hides this: rm$hidden"
