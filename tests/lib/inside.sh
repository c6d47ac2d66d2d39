# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash disable=SC2034 # failed is for who sources this
#
# What the shell tests inside of a root or a guest share. Sourced.

number=0 failed=0

# test_case NAME COMMAND...: if that fails, its output is shown.
test_case() {
	local result="not ok" name=$1
	shift

	if "$@" > /tmp/output 2>&1; then
		result=ok
	else
		failed=1
		sed 's/^/# /' /tmp/output
	fi
	echo "$result $((++number)) $name"
}

# decompressed FILE: a module, however it is compressed.
decompressed() {
	case $1 in
	*.xz) xz -dc "$1" ;;
	*.zst) zstd -dc "$1" ;;
	*) cat "$1" ;;
	esac
}
