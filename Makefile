# SPDX-License-Identifier: GPL-2.0
#
# make [KDIR=...]: build knetstat for the running kernel, or the one whose headers are
# in KDIR. `make help` lists the rest.

KDIR	?= /lib/modules/$(shell uname -r)/build
DESTDIR	?=
PREFIX	?= /usr/local
# Where a kernel's modules are; with a DESTDIR it may have to be /usr/lib/modules.
MODULES	?= /lib/modules
STRIP	?= $(CROSS_COMPILE)strip
CFLAGS	?= -O2 -g -Wall -Wextra
# sockstat's rows pass through several files: as one piece they cost 5 % less; and libc is
# called without a detour.
LTO	?= -flto=auto -fno-plt

# dkms.conf holds the version, because dkms reads it before anything can be run.
VERSION	:= $(shell sed -n 's/^PACKAGE_VERSION="\(.*\)"/\1/p' dkms.conf)
# As modules are loaded: bullseye's kernel.release names the upstream version instead.
RELEASE	:= $(shell sed -n 's/^.define UTS_RELEASE "\(.*\)"/\1/p' \
	     $(KDIR)/include/generated/utsrelease.h 2>/dev/null)

TOOLS	?= build/tools
BUILD	:= $(CURDIR)/build/$(RELEASE)
SOURCES	:= Kbuild include src tests/kunit
INSTALLED := $(DESTDIR)$(MODULES)/$(RELEASE)/extra/knetstat.ko
# What dkms-remove may remove is marked as made by dkms-install.
DKMS_SOURCE := /usr/src/knetstat-$(VERSION)
DKMS_MARK := made-by-make-dkms-install
AUTOLOAD := $(DESTDIR)/etc/modules-load.d/knetstat.conf
PROGRAMS := $(patsubst src/tools/%.c,%,$(wildcard src/tools/*.c))
# What install-tools puts below PREFIX beside the programs: each one's manual page and
# completions, and the page of the files.
SHARE	:= $(DESTDIR)$(PREFIX)/share
BASH_COMPLETIONS ?= $(PREFIX)/share/bash-completion/completions
ZSH_COMPLETIONS	?= $(PREFIX)/share/zsh/site-functions
SECTION5 := $(wildcard man/*.5)

all: modules tools

# kbuild writes into M=, and what it writes there changes from kernel to kernel. So M=
# is a tree of links to the sources under build/, which git ignores, one for each kernel.
modules: kdir
	@mkdir -p $(BUILD)/tests
	@find $(BUILD) -type l -delete
	@for s in $(wildcard $(SOURCES)); do \
		cp -rsT $(CURDIR)/$$s $(BUILD)/$$s || exit; \
	done
	$(MAKE) -C $(KDIR) M=$(BUILD) KNETSTAT_VERSION=$(VERSION) modules

# The programs need nothing of the kernel but its files: no KDIR, and one for all kernels.
# TOOLS= says where they go. A program is its file in src/tools, what is in the folder of its
# name there, and the library.
tools: $(PROGRAMS:%=$(TOOLS)/%)

# In a directory of its own first: the tests of two kernels may build it at the same time, and
# each in a PID namespace where it has the PID of the other.
$(TOOLS)/%: src/tools/%.c $(wildcard src/tools/*/*.[ch]) dkms.conf
	@mkdir -p $(@D)
	own=$$(mktemp -d $@.XXXXXX) && $(CC) -std=gnu11 $(CPPFLAGS) \
		-DKNETSTAT_VERSION='"$(VERSION)"' $(CFLAGS) $(LTO) $(LDFLAGS) \
		-o $$own/$* $< $(wildcard src/tools/$*/*.c) \
		$(wildcard src/tools/lib/*.c) $(LDLIBS) && mv $$own/$* $@; \
		status=$$?; rm -rf $$own; exit $$status

kdir:
	@[ -n "$(RELEASE)" ] || { echo "$(KDIR): no kernel headers there:" \
		"install the running kernel's, or set KDIR=" >&2; exit 1; }

# As root, on this machine, now.
load: modules
	[ ! -d /sys/module/knetstat ] || rmmod knetstat
	insmod $(BUILD)/knetstat.ko $(PARAMS)

unload:
	rmmod knetstat

# For the one kernel it was built for; dkms-install follows the kernel's updates, too.
install: modules autoload install-tools
	install -D -m 644 $(BUILD)/knetstat.ko $(INSTALLED)
	# What a debugger reads is ten times the rest; BTF stays.
	$(STRIP) --strip-debug $(INSTALLED)
	[ -n "$(DESTDIR)" ] || depmod $(RELEASE)

uninstall: kdir uninstall-tools
	rm -f $(INSTALLED) $(AUTOLOAD)
	[ -n "$(DESTDIR)" ] || depmod $(RELEASE)

install-tools: tools
	install -D -m 755 -t $(DESTDIR)$(PREFIX)/bin $(PROGRAMS:%=$(TOOLS)/%)
	install -D -m 644 -t $(SHARE)/man/man8 $(PROGRAMS:%=src/tools/%.8)
	install -D -m 644 -t $(SHARE)/man/man5 $(SECTION5)
	for p in $(PROGRAMS); do \
		install -D -m 644 src/tools/$$p.bash $(DESTDIR)$(BASH_COMPLETIONS)/$$p && \
		install -D -m 644 src/tools/$$p.zsh $(DESTDIR)$(ZSH_COMPLETIONS)/_$$p || exit; \
	done

uninstall-tools:
	rm -f $(PROGRAMS:%=$(DESTDIR)$(PREFIX)/bin/%) $(PROGRAMS:%=$(SHARE)/man/man8/%.8) \
		$(SECTION5:man/%=$(SHARE)/man/man5/%) \
		$(PROGRAMS:%=$(DESTDIR)$(BASH_COMPLETIONS)/%) \
		$(PROGRAMS:%=$(DESTDIR)$(ZSH_COMPLETIONS)/_%)

# Loads the module at every boot.
autoload:
	@mkdir -p $(dir $(AUTOLOAD))
	echo knetstat > $(AUTOLOAD)

# A version that is there already, this one or another, is replaced.
dkms-install: kdir dkms-remove
	@for source in /usr/src/knetstat-*; do \
		[ ! -e "$$source" ] || { echo "$$source is there, and somebody else's:" \
			"a package's? Remove that first" >&2; exit 1; }; \
	done
	mkdir -p $(DKMS_SOURCE)
	touch $(DKMS_SOURCE)/$(DKMS_MARK)
	cp -r --parents -t $(DKMS_SOURCE) Makefile dkms.conf $(wildcard $(SOURCES))
	dkms add -m knetstat -v $(VERSION)
	dkms build -m knetstat -v $(VERSION) -k $(RELEASE)
	dkms install -m knetstat -v $(VERSION) -k $(RELEASE)
	$(MAKE) autoload install-tools

dkms-remove: uninstall-tools
	@for mark in /usr/src/knetstat-*/$(DKMS_MARK); do \
		[ -e "$$mark" ] || continue; \
		source=$$(dirname "$$mark"); \
		version=$${source#/usr/src/knetstat-}; \
		[ ! -e "/var/lib/dkms/knetstat/$$version" ] || \
			dkms remove -m knetstat -v "$$version" --all || exit; \
		rm -rf "$$source" "/var/lib/dkms/knetstat/$$version"; \
	done
	[ ! -d /var/lib/dkms/knetstat ] || \
		rmdir --ignore-fail-on-non-empty /var/lib/dkms/knetstat
	rm -f /etc/modules-load.d/knetstat.conf

clean:
	rm -rf build

packages:
	scripts/package

# The scripts also work where not even make is installed yet.
demo check bench:
	scripts/$@

style:
	scripts/check style

help:
	@echo 'make                build build/RELEASE/knetstat.ko for KDIR (default: the running kernel)'
	@echo 'make load|unload    load it into the running kernel, with PARAMS="name=value ..."; unload it'
	@echo 'make dkms-install   have DKMS build and install it for this and every later kernel'
	@echo 'make dkms-remove    undo that'
	@echo 'make install        install it for this kernel only (DESTDIR=, MODULES=/lib/modules)'
	@echo 'make uninstall      undo that'
	@echo 'make packages       make knetstat-dkms and knetstat-tools, as deb and as rpm'
	@echo 'make demo           see it work in a virtual machine'
	@echo 'make check          run every test;  make style: only the style checks'
	@echo 'make bench          run every measurement'
	@echo 'make clean          remove build/'

.PHONY: all modules tools install-tools uninstall-tools kdir load unload install uninstall autoload dkms-install dkms-remove \
	clean packages demo check bench style help
