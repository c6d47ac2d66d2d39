# shellcheck shell=sh
# What `make dkms-install` put there is the package's from now on.
for mark in /usr/src/knetstat-*/made-by-make-dkms-install; do
	[ -e "$mark" ] || continue
	source=${mark%/*}
	version=${source#/usr/src/knetstat-}
	echo "knetstat-dkms: takes the place of what make dkms-install made of version $version"
	[ ! -e "/var/lib/dkms/knetstat/$version" ] ||
		dkms remove -m knetstat -v "$version" --all
	rm -rf "$source" "/var/lib/dkms/knetstat/$version"
	[ "$(cat /etc/modules-load.d/knetstat.conf 2> /dev/null)" != knetstat ] ||
		rm /etc/modules-load.d/knetstat.conf
done
