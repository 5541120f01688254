# pekit: plain GNU make. `make help` lists the targets.
#
# Everything that is built goes below $(B); `make B=build/asan SAN=address,undefined` makes a second tree beside the first.

B      ?= build
CC     ?= cc
AR     ?= ar
PREFIX ?= /usr/local
DESTDIR ?=
SAN    ?=
OPT    ?= -O3

VERSION := 0.1.0

ifeq ($(origin CC),default)
CC := gcc
endif

# DPDK needs SSE4.2 on x86 anyway; MARCH=native is for those who build where they run.
ARCH := $(shell uname -m)
ifeq ($(ARCH),x86_64)
MARCH ?= x86-64-v2
endif

WARN := -Wall -Wextra -Wpedantic -Werror -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wold-style-definition \
	-Wpointer-arith -Wcast-qual -Wwrite-strings -Wvla -Wundef -Wformat=2 -Wimplicit-fallthrough
CPPFLAGS += -Ilib -D_GNU_SOURCE -DPEKIT_VERSION='"$(VERSION)"'
CFLAGS_ALL = -std=c11 $(OPT) -g -fno-strict-aliasing -fstack-protector-strong -fvisibility=hidden -pthread $(if $(MARCH),-march=$(MARCH)) \
	$(WARN) $(if $(SAN),-fsanitize=$(SAN) -fno-sanitize-recover=all -fno-omit-frame-pointer) $(CFLAGS)
LDFLAGS_ALL = -pthread $(if $(SAN),-fsanitize=$(SAN)) $(LDFLAGS)

# V=1 shows the commands.
V ?=
Q := $(if $(V),,@)
say = $(if $(V),,@printf '  %-3s %s\n' '$(1)' '$(2)')

PKG_CONFIG ?= pkg-config
JANSSON_LIBS = $(shell $(PKG_CONFIG) --libs jansson)
NL_CFLAGS    = $(shell $(PKG_CONFIG) --cflags libnl-3.0 libnl-route-3.0 | sed 's/-I/-isystem /g')
NL_LIBS      = $(shell $(PKG_CONFIG) --libs libnl-3.0 libnl-route-3.0)
PCI_LIBS     = $(shell $(PKG_CONFIG) --libs libpci libnl-genl-3.0) $(NL_LIBS)
DPDK_CFLAGS  = $(shell $(PKG_CONFIG) --cflags libdpdk | sed 's/-I/-isystem /g; s/-march=[^ ]*//')
DPDK_LIBS    = $(shell $(PKG_CONFIG) --libs libdpdk)
SD_LIBS      = $(shell $(PKG_CONFIG) --libs libsystemd)

# ---- what is built -------------------------------------------------------------------------------------------------

LIB_SRC := $(sort $(wildcard lib/*/*.c))
LIB_OBJ := $(LIB_SRC:%.c=$(B)/obj/%.o)
# A folder with a main.c is a binary; the others are what several binaries share: SHARED_tool.
TOOLS   := $(sort $(filter-out pe,$(patsubst cmd/%/main.c,%,$(wildcard cmd/*/main.c))))
SHARED_arpmgr := cmd/neigh
SHARED_ndmgr  := cmd/neigh
BINS    := $(TOOLS:%=$(B)/bin/%) $(if $(wildcard cmd/pe),$(B)/bin/pe)

.PHONY: all
all: have-build $(BINS) ## pe and the tools, below build/bin

$(B)/obj/%.o: %.c | have-build
	@mkdir -p $(@D)
	$(call say,CC,$@)
	$(Q)$(CC) $(CPPFLAGS) $(CFLAGS_ALL) $(CFLAGS_$(word 2,$(subst /, ,$*))) -MMD -MP -c $< -o $@

CFLAGS_pe = $(DPDK_CFLAGS) $(NL_CFLAGS)
CFLAGS_io = $(NL_CFLAGS)

$(B)/libpekit.a: $(LIB_OBJ)
	@rm -f $@
	$(call say,AR,$@)
	$(Q)$(AR) rcs $@ $^

define tool_rule
$(B)/bin/$(1): $$(patsubst %.c,$(B)/obj/%.o,$$(sort $$(wildcard cmd/$(1)/*.c $(SHARED_$(1):%=%/*.c)))) $(B)/libpekit.a
	@mkdir -p $$(@D)
	$$(call say,LD,$$@)
	$$(Q)$$(CC) $$(LDFLAGS_ALL) $$(filter %.o,$$^) $(B)/libpekit.a $$(LIBS_$(1)) $$(JANSSON_LIBS) -o $$@
endef
LIBS_pe = $(DPDK_LIBS) $(NL_LIBS) $(SD_LIBS) -lm
LIBS_vfctl = $(PCI_LIBS)
$(foreach t,$(TOOLS) pe,$(eval $(call tool_rule,$(t))))

-include $(shell find $(B)/obj -name '*.d' 2>/dev/null)

# ---- tests ---------------------------------------------------------------------------------------------------------

# What a test links stands in its first comment: "links: lib/base/num.c -ljansson"; -lpekit is all of lib/, -lhost what lib/io/host.c needs. tests/cli, tests/net
# and tests/rig hold helper programs.
UNIT   := $(sort $(wildcard tests/unit/*_test.c))
STRESS := $(sort $(wildcard tests/stress/*.c))
FUZZ   := $(sort $(wildcard tests/fuzz/*_fuzz.c))
SIM    := $(sort $(wildcard tests/sim/*.c))
HELP   := $(sort $(wildcard tests/cli/*.c tests/net/*.c tests/rig/*.c))
LINKS  := $(shell tests/links.sh $(UNIT) $(STRESS) $(FUZZ) $(HELP) $(wildcard tests/sim/sim.c))
links = $(subst |, ,$(patsubst $(1)=%,%,$(filter $(1)=%,$(LINKS))))
links_lib = $(subst -lpekit,$(B)/libpekit.a,$(subst -lhost,$(PCI_LIBS),$(subst -ldpdk,$(DPDK_LIBS) $(NL_LIBS),$(filter -l%,$(call links,$(1))))))

# (binary, its own sources, source with the "links:" line, further libraries)
define test_rule
$(B)/test/$(1): $(patsubst %.c,$(B)/obj/%.o,$(2) $(filter %.c,$(call links,$(3)))) $(if $(filter -lpekit,$(call links,$(3))),$(B)/libpekit.a)
	@mkdir -p $$(@D)
	$$(call say,LD,$$@)
	$$(Q)$$(CC) $$(LDFLAGS_ALL) $$(filter %.o,$$^) $$(call links_lib,$(3)) $(4) -o $$@
endef
bins = $(patsubst tests/%.c,$(B)/test/%,$(1))
$(foreach t,$(UNIT),$(eval $(call test_rule,$(t:tests/%.c=%),$(t),$(t),-lcmocka)))
$(foreach t,$(FUZZ),$(eval $(call test_rule,$(t:tests/%.c=%),$(t),$(t),-fsanitize=fuzzer)))
$(foreach t,$(STRESS) $(HELP),$(eval $(call test_rule,$(t:tests/%.c=%),$(t),$(t),)))
$(eval $(call test_rule,sim/sim,$(SIM),tests/sim/sim.c,))

CFLAGS_net = $(if $(findstring tests/,$@),-Icmd/pe $(DPDK_CFLAGS) $(NL_CFLAGS))
CFLAGS_unit = $(if $(findstring tests/unit/io_,$@),$(NL_CFLAGS))
CFLAGS_fuzz = $(CFLAGS_net)

.PHONY: unit-build stress-build fuzz-build help-build tests-build syntax
unit-build: $(call bins,$(UNIT))
stress-build: $(call bins,$(STRESS))
fuzz-build: $(call bins,$(FUZZ))
help-build: $(call bins,$(HELP))
tests-build: unit-build help-build $(B)/test/sim/sim
# What a second compiler has to say of every file, without making anything of it.
SYNTAX := $(patsubst %.c,$(B)/syntax/%.ok,$(LIB_SRC) $(wildcard cmd/*/*.c) $(UNIT) $(STRESS) $(FUZZ) $(SIM) $(HELP))
$(SYNTAX): $(B)/syntax/%.ok: %.c | have-build
	@mkdir -p $(@D)
	$(call say,C,$<)
	$(Q)$(CC) $(CPPFLAGS) $(CFLAGS_ALL) $(CFLAGS_$(word 2,$(subst /, ,$*))) -fsyntax-only $< && touch $@
syntax: $(SYNTAX)

.PHONY: check unit sim stress fuzz lint cli net rig demo bench format
check: have-check ## build it in every way and run every test; as root
	@B=$(B) tests/check.sh
unit sim stress fuzz lint cli net left: have-check ## one layer of the tests
	@B=$(B) tests/check.sh $@
rig: have-check ## all tests in a guest with two emulated SR-IOV NICs; some minutes
	@B=$(B) tests/check.sh rig
format: ## as clang-format has it
	clang-format --style=file -i $$(find lib cmd tests -name '*.[ch]')
demo: have-demo all ## kernel hosts talking through pe, in namespaces; KEEP=1 leaves them up; as root
	@B=$(B) KEEP=$(KEEP) examples/demo.sh
bench: have-bench all ## cycles per packet beside testpmd and OVS-DPDK; as root
	@B=$(B) tests/bench/run.sh $(BENCH)

# ---- installation --------------------------------------------------------------------------------------------------

bindir  = $(DESTDIR)$(PREFIX)/bin
mandir  = $(DESTDIR)$(PREFIX)/share/man
docdir  = $(DESTDIR)$(PREFIX)/share/doc/pekit
compdir = $(DESTDIR)$(PREFIX)/share/bash-completion/completions
unitdir = $(DESTDIR)$(PREFIX)/lib/systemd/system

MAN  := $(sort $(wildcard man/*.[1-8]))
COMP := $(sort $(wildcard completions/*))
DOCS := $(sort $(wildcard docs/*.md))
EXAMPLES := $(sort $(wildcard examples/*))
UNITS := $(patsubst etc/%.in,%,$(sort $(wildcard etc/*.in)))

.PHONY: install uninstall clean help
install: all ## binaries, manual pages, completions, docs, systemd units; DESTDIR and PREFIX as usual
	install -d $(bindir) $(compdir) $(unitdir) $(docdir)/docs $(docdir)/examples
	install -m 755 $(BINS) $(bindir)
	for page in $(MAN); do install -D -m 644 $$page $(mandir)/man$${page##*.}/$${page##*/} || exit 1; done
	$(if $(COMP),install -m 644 $(COMP) $(compdir))
	for unit in $(UNITS); do sed 's|@bindir@|$(PREFIX)/bin|' etc/$$unit.in > $(B)/$$unit && install -m 644 $(B)/$$unit $(unitdir) || exit 1; done
	install -m 644 README.md LICENSE $(docdir)
	install -m 644 $(DOCS) $(docdir)/docs
	install -m 644 $(filter %.json,$(EXAMPLES)) $(docdir)/examples
	install -m 755 $(filter %.sh,$(EXAMPLES)) $(docdir)/examples

uninstall: ## what install put there
	rm -f $(BINS:$(B)/bin/%=$(bindir)/%) $(UNITS:%=$(unitdir)/%)
	rm -f $(foreach page,$(MAN),$(mandir)/man$(subst .,,$(suffix $(page)))/$(notdir $(page)))
	rm -f $(patsubst completions/%,$(compdir)/%,$(COMP))
	rm -rf $(docdir)

clean: ## what was built
	rm -rf $(B)

help: ## this list
	@awk -F ': .*## |: ## ' '/^[a-z ]+:.*## / { printf "%-40s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))
	@echo
	@echo 'B=DIR (build), CC=gcc|clang, SAN=address,undefined|thread, OPT=-O3, MARCH=native, V=1, PREFIX, DESTDIR'

# ---- packages ------------------------------------------------------------------------------------------------------

DEPS_BUILD := gcc make pkg-config libc6-dev libdpdk-dev libjansson-dev libnl-3-dev libnl-route-3-dev libnl-genl-3-dev libpci-dev libsystemd-dev
DEPS_DEMO  := iproute2 iputils-ping traceroute ethtool iperf3 jq procps
DEPS_CHECK := clang clang-format libclang-rt-14-dev libcmocka-dev bats tshark tcpdump arping iputils-tracepath openvswitch-switch \
	tmux mandoc groff-base man-db shellcheck python3 python3-prometheus-client libpcap0.8 bash-completion util-linux systemd
DEPS_RIG   := cpio kmod xz-utils
DEPS_BENCH := dpdk-dev openvswitch-switch-dpdk linux-perf
DEPS       := $(DEPS_BUILD) $(DEPS_DEMO) $(DEPS_CHECK) $(DEPS_RIG) $(DEPS_BENCH)

.PHONY: deps have-build have-demo have-check have-bench
deps: ## install the Debian packages that building, the demo, the tests and the bench need
	@tests/deps.sh $(DEPS)
have-build:
	@tests/deps.sh --quiet $(DEPS_BUILD)
have-demo:
	@tests/deps.sh --quiet $(DEPS_BUILD) $(DEPS_DEMO)
have-check:
	@tests/deps.sh --quiet $(DEPS_BUILD) $(DEPS_DEMO) $(DEPS_CHECK) $(DEPS_RIG)
have-bench:
	@tests/deps.sh --quiet $(DEPS)
