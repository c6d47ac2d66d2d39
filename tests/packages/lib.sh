# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash disable=SC2034 # they are for who sources this
#
# What the tests of packages in a root share. Sourced there, with `out` set to the directory
# that tests/packages/run was given; the root is thrown away.

. "$(dirname "$0")/../lib/inside.sh"

tree=${out:?}/tree
release=$(< /etc/knetstat-kernel)
later=$(< /etc/knetstat-later)
version=$(sed -n 's/^PACKAGE_VERSION="\(.*\)"/\1/p' "$tree/dkms.conf")
before=$(awk -F '[ ,]' '/^knetstat .*, / && ++n == 2 { print $2 }' "$tree/NEWS")
mapfile -t programs < <(cd "$tree/src/tools" && printf '%s\n' *.c | sed 's/\.c$//')

# No systemd runs here. What a maintainer's script asks of it is written down (in /run: newer
# rpms give scripts a /tmp of their own); and of that, which links there are is done.
mkdir -p /run/systemd/system
[ -e /usr/bin/systemctl.real ] || mv /usr/bin/systemctl /usr/bin/systemctl.real
cat > /usr/bin/systemctl << 'END'
#!/bin/sh
echo "$*" >> /run/asked
case "$*" in
*preset*|*disable*) SYSTEMD_OFFLINE=1 exec systemctl.real "$@" ;;
*is-enabled*) echo enabled ;;
*is-active*) echo active ;;
esac
END
chmod +x /usr/bin/systemctl
# asked WORD: systemd was asked to do WORD with the unit, since the last look.
asked() { grep -E "(^| )$1 .*knetstat" /run/asked; }
forget_asked() { : > /run/asked; }
forget_asked

# test_case NAME FUNCTION: as that of tests/lib/inside.sh; with all output in a log, and of the
# last one in /tmp/last. There is a lot of it.
test_case() {
	local result="not ok" begin=$SECONDS

	if "$2" > /tmp/output 2>&1; then
		result=ok
	else
		failed=1
		tail -n 60 /tmp/output | sed 's/^/# /'
	fi
	{ echo "=== $1 ($((SECONDS - begin)) s)"; cat /tmp/output; } >> "$out/install.log"
	mv /tmp/output /tmp/last
	echo "$result $((++number)) $1"
}

# files: the file tree, with the size of each file. What is left out is the machine's and not
# any package's: dkms's signing key, logs, caches, what dpkg and apt know, lists of modules,
# folders of /usr/local; and what rpm makes when an older dkms asks it something.
files() {
	find / -xdev \( -path /proc -o -path /dev -o -path /tmp -o -path "$out" -o -path /var/log \
		-o -path /var/cache -o -path /var/lib/dpkg -o -path /var/lib/apt \
		-o -path /run -o -path /sys -o -path /root/.rpmdb \) -prune -o \
		-not -path '/var/lib/dkms/mok.*' \
		-not \( -path '/usr/local/*' -type d \) \
		\( -type f -printf '%p %s\n' -o -printf '%p %l\n' \) |
		grep -vE '^/(usr/)?lib/modules/[^/]*/modules\.|^/etc/ld.so.cache' | sort
}

# The module that a kernel's depmod knows.
built() { modinfo -k "$release" -F filename knetstat; }
built_version() { modinfo -k "${1:-$release}" -F version knetstat; }
is_signed() { modinfo -k "${1:-$release}" -F signer knetstat | grep -x 'DKMS module signing key'; }

# keep FILE: the module that is installed, as FILE.
keep() {
	decompressed "$(built)" > "$1"
}

# plant_loaded VERSION: there is no /sys here: as if that version were loaded.
plant_loaded() { mkdir -p /sys/module/knetstat && echo "$1" > /sys/module/knetstat/version; }

# says_it_stays: what the test before said tells that the module stays, and until when.
says_it_stays() {
	grep -E "version .* stays loaded until .*systemctl restart knetstat" /tmp/last |
		grep -F "version $before "
}
