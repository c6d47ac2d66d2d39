# SPDX-License-Identifier: GPL-2.0
#
# What scripts/check has make do: each of LAYERS, when what it needs is there. A layer is
# named here with a dash for the colon.

layer	 := $(CURDIR)/tests/layer
dkms	 := $(filter dkms-%,$(LAYERS))
boots	 := $(filter guest-% long-%,$(LAYERS))
files	 := $(sort $(patsubst dkms-%,%,$(dkms)) $(patsubst guest-%,%,$(boots:long-%=guest-%)) \
		   debug trixie tree userland)

layers: $(LAYERS)

$(LAYERS):
	@$(layer) $@

# Made once: an error shows again, with its reason, in the layers that need it.
$(files:%=files-%):
	@$(layer) $@

$(dkms): dkms-%: files-%
$(filter guest-%,$(boots)): guest-%: files-% files-userland
$(filter long-%,$(boots)): long-%: files-% files-userland
$(filter style kunit,$(LAYERS)): files-debug
$(filter harness demo guards,$(LAYERS)): files-trixie files-userland
$(filter tree,$(LAYERS)): files-tree files-userland

# It loads what dkms built.
$(filter $(boots),$(dkms:dkms-%=guest-%)): guest-%: dkms-%

.PHONY: layers $(LAYERS) $(files:%=files-%)
