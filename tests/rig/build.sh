#!/bin/bash
# Makes the rig's cache when it is not there: QEMU, a guest's kernel and its root. Prints the folder:
#
#   qemu/         the emulator's packages, unpacked
#   vmlinux       the kernel, as an ELF file: booted without unpacking itself
#   initrd.cpio   the guest's root, without pekit: that comes from the build tree when the guest runs
#   versions      the packages
#
# The machine's packages and its apt sources stay as they are; only the mirror's address is taken from them. Downloads need the network once.
# PEKIT_RIG_CACHE: where the cache is. Its folders are named by a hash of what goes into them; others are removed when nobody uses them.
set -eu
cd "$(dirname "$0")"
export LC_ALL=C
CACHE=${PEKIT_RIG_CACHE:-/var/cache/pekit-rig}
SUITE=bookworm

say()
{
	echo "rig: $*" >&2
}

die()
{
	say "$@"
	exit 1
}

# listed WORD: the names behind it in the list of packages
listed()
{
	awk -v word="$1" '$1 == word { for (i = 2; i <= NF; i++) print $i }' packages
}

# The libraries of this machine that pekit was linked with count, too: the guest's must be as new.
hash_of_all()
{
	{
		cat packages build.sh init
		dpkg-query -W -f '${Package} ${Version}\n' librte-eal23 libjansson4 libnl-3-200 libsystemd0 libpci3 2>/dev/null
	} | sha256sum | cut -c1-16
}

# ---- packages ------------------------------------------------------------------------------------------------------------

# The mirror that this machine has its release from, with what signs it.
mirror()
{
	apt-get indextargets --format '$(CODENAME) $(RELEASE) $(REPO_URI)' 'Created-By: Packages' |
		awk -v suite=$SUITE '$1 == suite || $2 == suite { print $3; exit }'
}

# An apt of our own below $W/apt: empty lists, and nothing installed but what we do without.
apt_set_up()
{
	local uri name
	uri=$(mirror)
	[ -n "$uri" ] || die "apt's sources name no mirror of Debian $SUITE: there is nowhere to fetch the rig's packages from"
	mkdir -p "$W/apt/state/lists/partial" "$W/apt/cache"
	printf '%s\n' "deb $uri $SUITE main" "deb $uri $SUITE-backports main" >"$W/apt/sources.list"
	for name in $(listed without); do
		printf '%s\n' "Package: $name" 'Status: install ok installed' 'Priority: optional' 'Maintainer: none' 'Architecture: all' \
			'Multi-Arch: foreign' 'Version: 999' 'Description: none' ''
	done >"$W/apt/status"
	cat >"$W/apt/conf" <<-EOF
		Dir::State "$W/apt/state";
		Dir::State::status "$W/apt/status";
		Dir::Cache "$W/apt/cache";
		Dir::Etc::sourcelist "$W/apt/sources.list";
		Dir::Etc::sourceparts "-";
		APT::Sandbox::User "root";
		APT::Install-Recommends "false";
		Acquire::Languages "none";
		Acquire::Retries "3";
		Debug::NoLocking "true";
	EOF
	export APT_CONFIG="$W/apt/conf"
	say "packages from $uri"
	apt-get update -qq -o APT::Update::Error-Mode=any >"$W/apt/log" 2>&1 || {
		cat "$W/apt/log" >&2
		die "could not fetch the package lists of $SUITE and $SUITE-backports from $uri: is there a network?"
	}
}

# fetch SET APT-OPTION... -- NAME...: the packages with all they depend on, into $W/debs/SET.
fetch()
{
	local set=$1 options=()
	shift
	while [ "$1" != -- ]; do
		options+=("$1")
		shift
	done
	shift
	mkdir -p "$W/debs/$set/partial"
	say "fetching $set: $*"
	apt-get install -qq -y --download-only -o Dir::Cache::archives="$W/debs/$set" "${options[@]}" -- "$@" >"$W/apt/log" 2>&1 || {
		cat "$W/apt/log" >&2
		die "could not fetch the packages of '$set': $*"
	}
}

# unpack SET ROOT: with /bin and its like as Debian has them.
unpack()
{
	local dir
	mkdir -p "$2/usr"
	for dir in bin sbin lib lib64; do
		mkdir -p "$2/usr/$dir"
		ln -sfn "usr/$dir" "$2/$dir"
	done
	# shellcheck disable=SC2016  # expanded by the inner shell
	find "$W/debs/$1" -name '*.deb' -print0 | xargs -0 -P2 -I{} sh -c 'dpkg-deb --fsys-tarfile "$1" |
		tar -x --keep-directory-symlink -C "$2" --exclude=./usr/share/doc --exclude=./usr/share/man --exclude=./usr/share/locale' sh {} "$2"
}

# ---- the guest -------------------------------------------------------------------------------------------------------------

# The compressed kernel is a program that unpacks itself, which takes an emulated processor seconds. What it would unpack is what we want.
kernel_elf()
{
	local at
	# shellcheck disable=SC2013  # numbers
	for at in $(grep -aobUP '\xFD7zXZ\x00' "$1" | cut -d: -f1); do
		tail -c +$((at + 1)) "$1" | xz -dc >"$2" 2>/dev/null || true
		[ "$(head -c4 "$2" | tail -c3)" = ELF ] && return
	done
	die "the kernel's image $1 is packed in a way that is not known here"
}

# kernel_into ROOT: the modules that are listed and those that they need; the others are left.
kernel_into()
{
	local kernel=$W/kernel version module path
	unpack kernel "$kernel"
	version=$(ls "$kernel/lib/modules")
	kernel_elf "$kernel/boot/vmlinuz-$version" "$W/out/vmlinux"
	depmod -b "$kernel" "$version"
	mkdir -p "$1/lib/modules/$version"
	cp "$kernel/lib/modules/$version"/modules.{order,builtin,builtin.modinfo} "$1/lib/modules/$version"
	for module in $(listed module); do
		modprobe -d "$kernel" -S "$version" --show-depends "$module" >"$W/depends" 2>/dev/null || die "the kernel has no module $module"
		awk '$1 == "insmod" { print $2 }' "$W/depends"
	done | sort -u | while read -r path; do
		install -D -m 644 "$path" "$1/${path#"$kernel/"}"
	done
	depmod -b "$1" "$version"
}

root_into()
{
	local root=$1
	unpack guest "$root"
	(
		cd "$root"
		rm -rf usr/share/{info,zoneinfo,bash-completion,doc-base,lintian,common-licenses,perl5,bug,pixmaps,i18n} usr/lib/systemd usr/games boot \
			usr/lib/x86_64-linux-gnu/{gconv,security} var/lib/{dpkg,systemd} var/cache
		mkdir -p dev proc sys run tmp root var/tmp etc repo build out
		ln -sf mawk usr/bin/awk
		ln -sf bash usr/bin/sh
		echo root:x:0:0:root:/root:/bin/bash >etc/passwd
		echo root:x:0: >etc/group
		ln -sf /proc/self/mounts etc/mtab
	)
	install -m 755 init "$root/init"
}

build()
{
	mkdir -p "$W/out"
	apt_set_up
	# shellcheck disable=SC2046  # lists of words
	{
		fetch qemu -t $SUITE-backports -- $(listed qemu)
		fetch guest -- $(listed guest)
		fetch kernel -- $(listed kernel)
	}
	say "unpacking"
	unpack qemu "$W/out/qemu"
	root_into "$W/root"
	kernel_into "$W/root"
	(cd "$W/root" && find . | sort | cpio -o -H newc --quiet) >"$W/out/initrd.cpio"
	find "$W/debs" -name '*.deb' -printf '%f\n' | sort -u >"$W/out/versions"
	mv "$W/out" "$CACHE/$KEY"
}

# What other hashes have left, unless a guest runs from it. In the folder's place another run may make its own: the lock is beside it.
remove_others()
{
	local other
	for other in "$CACHE"/*/; do
		other=${other%/}
		[ "$other" = "$CACHE/$KEY" ] || [ ! -d "$other" ] || flock -n -x "$other" rm -rf "$other" || true
	done
}

KEY=$(hash_of_all)
if [ ! -d "$CACHE/$KEY" ]; then
	mkdir -p "$CACHE" || die "no folder $CACHE: PEKIT_RIG_CACHE names another"
	exec {lock}>"$CACHE/lock"
	flock -n $lock || { say "another run makes the cache: waiting"; flock $lock; }
	# it may be whole by now
	if [ ! -d "$CACHE/$KEY" ]; then
		start=$SECONDS
		W=$(mktemp -d "$CACHE/new.XXXXXX")
		trap 'rm -rf "$W"' EXIT
		trap 'exit 130' INT
		trap 'exit 143' TERM HUP
		remove_others
		build
		say "$CACHE/$KEY made in $((SECONDS - start)) s, $(du -sh "$CACHE/$KEY" | cut -f1)"
	fi
fi
echo "$CACHE/$KEY"
