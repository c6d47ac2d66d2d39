# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# What the scripts in tests/vm and scripts share: where things are kept, how they
# are made exactly once, and how a command is run inside a release's build root.
# Sourced; the sourcing script has `set -euo pipefail` in force.

top=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
vm=$top/tests/vm
cache=${KNETSTAT_CACHE:-/var/cache/knetstat}

# Scripts call each other: the time is since the first one's start.
export KNETSTAT_START=${KNETSTAT_START:-$EPOCHSECONDS}
say() { printf '[%4d s] %s\n' $((EPOCHSECONDS - KNETSTAT_START)) "$*" >&2; }
die() { printf '%s: %s\n' "${0##*/}" "$*" >&2; exit 1; }

# Scripts may be started by a user who has sudo, and on a machine that has little
# more than git.
as_root() {
	[ "$(id -u)" -ne 0 ] || return 0
	command -v sudo > /dev/null || die "must run as root (or with sudo installed)"
	exec sudo --preserve-env=KNETSTAT_CACHE,KNETSTAT_MIRROR,KNETSTAT_SECURITY_MIRROR,KNETSTAT_START,KNETSTAT_TREE,DEBFULLNAME,DEBEMAIL \
		"$0" "$@"
}

# need PACKAGE...: install those that are missing on the host.
need() {
	local package missing=()

	for package; do
		dpkg-query -W -f '${db:Status-Status}' "$package" 2> /dev/null |
			grep -qx installed || missing+=("$package")
	done
	[ ${#missing[@]} -gt 0 ] || return 0
	say "installing on this machine: ${missing[*]}"
	mkdir -p "$cache"
	{
		apt-get -q update &&
		DEBIAN_FRONTEND=noninteractive apt-get -qy \
			install --no-install-recommends "${missing[@]}"
	} > "$cache/apt.log" 2>&1 < /dev/null || {
		tail -n 20 "$cache/apt.log" >&2
		die "could not install ${missing[*]} (all of it: $cache/apt.log)"
	}
}

# The architecture of this machine, as Debian calls it.
native=$(dpkg --print-architecture)

# kernel NAME: sets suite, series and flavour from the table of kernels; arch, whose it is
# (amd64 or arm64); and cross, empty if this machine's own tools are for that, or else the
# prefix of those that are. Not in the table are
# "ubuntu", which is the demonstration's only, and "tree", a source tree that a user has:
# bookworm's compiler is neither too new for 5.10 nor too old for what there is today.
# shellcheck disable=SC2034 # they are for the caller
kernel() {
	arch=$native cross=''
	if [ "$1" = tree ]; then
		suite=bookworm series='' flavour=tree
		return
	fi
	if [ "$1" = ubuntu ]; then
		suite=$(ubuntu) series='' flavour=virtual
		return
	fi
	read -r suite series flavour < <(
		awk -v name="$1" '$1 == name { print $2, $3, $4 }' "$vm/kernels" "$vm/next") ||
		die "no kernel named '$1': have $(kernels | xargs)"
	[ "$series" != newest ] || flavour=$flavour-$native
	case $flavour in
	*amd64*) arch=amd64 ;;
	*arm64*) arch=arm64 ;;
	esac
	[ "$arch" = "$native" ] || cross=aarch64-linux-gnu-
	[ "$arch-$cross" != amd64-aarch64-linux-gnu- ] ||
		die "$1 is amd64's, and this machine is not"
}

# The kernels of the table. A machine that is not amd64 has its own architecture's only.
kernels() { kernels_of "$native"; [ "$native" != amd64 ] || { kernels_of arm64; echo debug; }; }
# kernels_of ARCHITECTURE: Debian's own kernels of one.
kernels_of() {
	awk -v arch="$1" '!/^#/ && NF && index($4, arch) { print $1 }' "$vm/kernels"
}

# What may be supported one day.
next_kernels() { awk '!/^#/ && NF { print $1 }' "$vm/next"; }

# package_kernels: those in whose roots packages are made, one for each release of Debian
# that has the tools for it as bookworm has, and is released.
package_kernels() { kernels_of "$native" | grep -xE 'bookworm|trixie|trixie-arm64'; }

# own_kernel NAME: whether it is one that is built here.
own_kernel() { case $1 in debug|clang|tree) ;; *) false ;; esac; }

# userland_kernel NAME: the kernel whose build root has the guest's C library.
userland_kernel() {
	kernel "$1"
	case $arch in
	amd64) echo trixie ;;
	arm64) echo trixie-arm64 ;;
	esac
}

# once DIRECTORY COMMAND...: make DIRECTORY by running COMMAND with a temporary name
# as its last argument. Only a completed one ever gets its real name, and a second
# run waits for the first instead of making it again.
once() {
	local dir=$1 lock
	shift

	[ ! -e "$dir" ] || return 0
	mkdir -p "${dir%/*}"
	exec {lock}> "$dir.lock"
	flock "$lock"
	if [ ! -e "$dir" ]; then
		rm -rf --one-file-system "$dir.part"
		"$@" "$dir.part"
		mv -T "$dir.part" "$dir"
	fi
	exec {lock}>&-
}

# key TEXT...: what a cached thing's name ends in, so that a changed recipe makes a
# new one instead of using the old.
key() { printf '%s\n' "$@" | sha256sum | cut -c 1-12; }

# mirrors: sets main and security to the addresses of this machine's own Debian mirrors;
# none is named here. Fails if it has none.
mirrors() {
	local try targets

	main=${KNETSTAT_MIRROR:-} security=${KNETSTAT_SECURITY_MIRROR:-}
	for try in as-is updated; do
		[ -z "$main" ] || return 0
		# A machine may have been made without apt's lists, which say whose a mirror is.
		[ $try = as-is ] || apt-get -q update > "$cache/apt.log" 2>&1 || return
		# shellcheck disable=SC2016 # apt's variables
		targets=$(apt-get indextargets \
			--format '$(ORIGIN)/$(LABEL) $(REPO_URI)' 'Created-By: Packages')
		main=$(awk '$1 == "Debian/Debian" { print $2; exit }' <<< "$targets")
		security=$(awk '$1 == "Debian/Debian-Security" { print $2; exit }' <<< "$targets")
	done
	[ -n "$main" ]
}

# base SUITE: the suite that SUITE adds packages to, or it itself.
base() {
	case $1 in
	experimental) echo sid ;;
	*) echo "${1%-backports}" ;;
	esac
}

# sources SUITE: sources.list lines for SUITE.
sources() {
	local main security base
	base=$(base "$1")

	if [ "$1" = "$(ubuntu)" ]; then
		# shellcheck disable=SC2016 # apt's variables
		apt-get indextargets --format 'deb $(REPO_URI) $(RELEASE) $(COMPONENT)' \
			'Created-By: Packages' 'Origin: Ubuntu' | sort -u
		return
	fi
	mirrors || die "no Debian mirror in this machine's apt configuration:" \
		"set KNETSTAT_MIRROR to one's address"
	echo "deb $main $base main"
	[ "$1" = "$base" ] || echo "deb $main $1 main"
	[ -z "$security" ] || [ "$base" = sid ] || echo "deb $security $base-security main"
}

# ubuntu: this machine's release of Ubuntu, if that is what it runs.
# shellcheck disable=SC1091 # the machine's
ubuntu() { (. /etc/os-release; [ "$ID" != ubuntu ] || echo "$VERSION_CODENAME"); }

# demo_kernel: the kernel that the demonstration boots: Debian's stable one, or on a
# Ubuntu without a Debian mirror its own.
demo_kernel() {
	local main security

	if [ -n "$(ubuntu)" ] && ! mirrors; then
		echo ubuntu
	elif [ "$native" = arm64 ]; then
		echo trixie-arm64
	else
		echo trixie
	fi
}

# bootstrap SUITE PACKAGES DIRECTORY [OPTION...]: a fresh Debian in DIRECTORY.
bootstrap() {
	local suite=$1 packages=$2 dir=$3 proxy
	shift 3

	proxy=$(apt-config dump --format '%v' Acquire::http::Proxy)
	sources "$suite" | INITRD=No mmdebstrap --mode=root --variant=apt --quiet \
		${proxy:+--aptopt="Acquire::http::Proxy \"$proxy\""} \
		--aptopt='Acquire::Check-Valid-Until "false"' \
		--dpkgopt=force-unsafe-io \
		--dpkgopt='path-exclude=/usr/share/doc/*' \
		--dpkgopt='path-exclude=/usr/share/man/*' \
		--dpkgopt='path-exclude=/usr/share/info/*' \
		--dpkgopt='path-exclude=/usr/share/locale/*' \
		${packages:+--include="$packages"} \
		"$@" "$(base "$suite")" "$dir" -
}

# copy_tree DIRECTORY: the repository as a fresh clone has it, and nothing generated.
copy_tree() {
	mkdir "$1"
	(cd "$top" && git ls-files -z -co --exclude-standard |
		xargs -0 cp -d --parents --target-directory="$1")
}

# enter ROOT [BIND...] -- COMMAND...: run COMMAND in ROOT, with the host's /dev and a
# fresh /proc, and each BIND directory at its own path. Nothing it writes outside of
# those reaches ROOT, and every mount goes away with the last process.
enter() {
	local root=$1 scratch status=0
	shift

	scratch=$(mktemp -d "$cache/enter.XXXXXX")
	# shellcheck disable=SC2016 # expanded inside
	unshare --mount --propagation private --pid --fork --kill-child \
		bash -euc '
		root=$1 scratch=$2 in=$2/root
		shift 2
		mkdir "$in" "$scratch/upper" "$scratch/work"
		# The host may itself be on an overlay, which cannot be the upper layer of one.
		mount -t overlay overlay "$in" -o \
			"lowerdir=$root,upperdir=$scratch/upper,workdir=$scratch/work" 2> /dev/null ||
			cp -a --reflink=auto "$root/." "$in"
		mount -t proc proc "$in/proc"
		mount --rbind /dev "$in/dev"
		while [ "$1" != -- ]; do
			mkdir -p "$in$1"
			mount --bind "$1" "$in$1"
			shift
		done
		shift
		exec chroot "$in" /usr/bin/env -i HOME=/root LC_ALL=C INITRD=No \
			DEBIAN_FRONTEND=noninteractive \
			PATH=/usr/sbin:/usr/bin:/sbin:/bin "$@"' enter "$root" "$scratch" "$@" \
		< /dev/null || status=$?
	rm -rf --one-file-system "$scratch"
	return $status
}
