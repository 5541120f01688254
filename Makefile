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

PKG_CONFIG ?= pkg-config
JANSSON_LIBS = $(shell $(PKG_CONFIG) --libs jansson)
NL_CFLAGS    = $(shell $(PKG_CONFIG) --cflags libnl-3.0 libnl-route-3.0 | sed 's/-I/-isystem /g')
NL_LIBS      = $(shell $(PKG_CONFIG) --libs libnl-3.0 libnl-route-3.0)
DPDK_CFLAGS  = $(shell $(PKG_CONFIG) --cflags libdpdk | sed 's/-I/-isystem /g; s/-march=[^ ]*//')
DPDK_LIBS    = $(shell $(PKG_CONFIG) --libs libdpdk)
SD_LIBS      = $(shell $(PKG_CONFIG) --libs libsystemd)

# ---- what is built -------------------------------------------------------------------------------------------------

LIB_SRC := $(sort $(wildcard lib/*/*.c))
LIB_OBJ := $(LIB_SRC:%.c=$(B)/obj/%.o)
TOOLS   := $(sort $(filter-out pe,$(notdir $(patsubst %/,%,$(wildcard cmd/*/)))))
BINS    := $(TOOLS:%=$(B)/bin/%) $(if $(wildcard cmd/pe),$(B)/bin/pe)

.PHONY: all
all: have-build $(BINS)

$(B)/obj/%.o: %.c
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS) $(CFLAGS_ALL) $(CFLAGS_$(word 2,$(subst /, ,$*))) -MMD -MP -c $< -o $@

CFLAGS_pe = $(DPDK_CFLAGS) $(NL_CFLAGS)
CFLAGS_io = $(NL_CFLAGS)

$(B)/libpekit.a: $(LIB_OBJ)
	@rm -f $@
	$(AR) rcs $@ $^

define tool_rule
$(B)/bin/$(1): $$(patsubst %.c,$(B)/obj/%.o,$$(sort $$(wildcard cmd/$(1)/*.c))) $(B)/libpekit.a
	@mkdir -p $$(@D)
	$$(CC) $$(LDFLAGS_ALL) $$(filter %.o,$$^) $(B)/libpekit.a $$(LIBS_$(1)) $$(JANSSON_LIBS) -o $$@
endef
LIBS_pe = $(DPDK_LIBS) $(NL_LIBS) $(SD_LIBS) -lm
$(foreach t,$(TOOLS) pe,$(eval $(call tool_rule,$(t))))

-include $(shell find $(B)/obj -name '*.d' 2>/dev/null)

# ---- packages ------------------------------------------------------------------------------------------------------

DEPS_BUILD := gcc make pkg-config libc6-dev libdpdk-dev libjansson-dev libnl-3-dev libnl-route-3-dev libsystemd-dev
DEPS_DEMO  := iproute2 iputils-ping ethtool iperf3 jq procps
DEPS_CHECK := clang clang-format libclang-rt-14-dev libcmocka-dev bats tshark tcpdump arping openvswitch-switch tmux \
	mandoc groff-base man-db shellcheck python3 libpcap0.8 bash-completion util-linux
DEPS_BENCH := dpdk-dev openvswitch-switch-dpdk linux-perf
DEPS       := $(DEPS_BUILD) $(DEPS_DEMO) $(DEPS_CHECK) $(DEPS_BENCH)

missing = $(shell for p in $(1); do dpkg-query -W -f '$${Status}' $$p 2>/dev/null | grep -q 'ok installed' || echo $$p; done)

.PHONY: deps have-build have-demo have-check have-bench
deps:
	@tests/deps.sh $(DEPS)
have-build:
	@tests/deps.sh --quiet $(DEPS_BUILD)
have-demo:
	@tests/deps.sh --quiet $(DEPS_BUILD) $(DEPS_DEMO)
have-check:
	@tests/deps.sh --quiet $(DEPS_BUILD) $(DEPS_DEMO) $(DEPS_CHECK)
have-bench:
	@tests/deps.sh --quiet $(DEPS)
