#!/bin/sh
# Installs the Debian packages that are named and missing. usage: deps.sh [--quiet] PACKAGE...
# As another user than root it says what to do and fails.
set -eu
quiet=
[ "${1-}" = --quiet ] && { quiet=1; shift; }

missing=
for package; do
	dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q 'ok installed' || missing="$missing $package"
done
if [ -z "$missing" ]; then
	[ -n "$quiet" ] || echo "all packages are installed"
	exit 0
fi
if [ "$(id -u)" != 0 ]; then
	echo "missing packages:$missing" >&2
	echo "run 'make deps' as root, or: apt-get install --no-install-recommends$missing" >&2
	exit 1
fi
echo "installing:$missing"
# A switch that the packages start by themselves would meet the tests' own: install without starting services.
policy=/usr/sbin/policy-rc.d
if [ ! -e $policy ]; then
	printf '#!/bin/sh\nexit 101\n' > $policy
	chmod 755 $policy
	trap 'rm -f $policy' EXIT INT TERM
fi
export DEBIAN_FRONTEND=noninteractive
apt-get update -qq
# shellcheck disable=SC2086  # a list of words
apt-get install -y -qq --no-install-recommends $missing >/dev/null
