# SPDX-License-Identifier: GPL-2.0
#
# What scripts/check has make do: first `files`, then `layers`: each of LAYERS, which are
# named here with a dash for the colon.

layer	:= $(CURDIR)/tests/layer
dkms	:= $(filter dkms-%,$(LAYERS))
packages := $(filter packages-%,$(LAYERS))
build	:= $(filter build-%,$(LAYERS))
guest	:= $(filter guest-%,$(LAYERS))

# What they need, made once, and first: an error shows again, with its reason, in the
# layers that need it.
files	:= $(sort $(dkms:dkms-%=%) $(packages) $(packages:packages-%=%) \
		  $(build:build-%=%) $(guest:guest-%=%) \
		  $(patsubst long-%,%,$(filter-out %-fuzz %-selftests %-kcsan %-cfi,$(filter long-%,$(LAYERS)))) \
		  $(if $(filter style kunit %selftests,$(LAYERS)),debug) \
		  $(if $(filter %kcsan %cfi,$(LAYERS)),clang) \
		  $(if $(filter harness demo guards agents servers,$(LAYERS)),trixie) \
		  $(patsubst %,userland-%,$(patsubst long-%,%,$(filter agents servers %selftests,$(LAYERS)))) \
		  $(filter tree,$(LAYERS)) userland)

layers: $(LAYERS)
files: $(files:%=files-%)

$(LAYERS) $(files:%=files-%):
	@$(layer) $@

# It loads what they built.
$(filter $(guest),$(dkms:dkms-%=guest-%)): guest-%: dkms-%
$(filter $(guest),$(build:build-%=guest-%)): guest-%: build-%

.PHONY: layers files $(LAYERS) $(files:%=files-%)
