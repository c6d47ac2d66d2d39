# shellcheck shell=sh
# To unload it would lose what it has recorded: that is for the administrator to say.
loaded=$(cat /sys/module/knetstat/version 2> /dev/null || :)
[ -z "$loaded" ] || [ "$loaded" = "@VERSION@" ] ||
	echo "knetstat-dkms: version $loaded of the module stays loaded until the next boot," \
		"or until: systemctl restart knetstat"
