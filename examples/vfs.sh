#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# VFs for instances from the shell: one from each port, on loan, with the file of an appliance that uses them.
#
#	vfs.sh give INSTANCE PORT...     leases a free VF of each port and prints an appliance's file that bridges them
#	vfs.sh take INSTANCE             gives all that the instance holds back
#	vfs.sh report                    who holds what, and what the doctor says; exit status 1 when something is wrong
#
# What is done in part is undone: an instance has all its VFs or none. Asking twice gives the same VFs.
set -euo pipefail
export LC_ALL=C

# of INSTANCE: what it holds, a line each: VF and generation
of()
{
	vfctl -j vf list holder "$1" | jq -r '.[] | "\(.name) \(.generation)"'
}

# The generation makes sure that nobody else's lease is ended, should this come late.
take()
{
	local vf generation
	while read -r vf generation; do
		vfctl vf release "$vf" holder "$1" generation "$generation"
	done < <(of "$1")
}

give()
{
	local instance=$1 port n=0 ports='{}' address given
	shift
	given=$(of "$instance")
	for port in "$@"; do
		n=$((n + 1))
		if ! vfctl vf lease "$port:any" holder "$instance" mac auto trust on spoofchk off driver vfio-pci --may-exist >&2; then
			[ -n "$given" ] || take "$instance" >&2
			echo "vfs.sh: $instance gets no VF of $port, and so none at all" >&2
			return 1
		fi
		address=$(vfctl -j vf list pf "$port" holder "$instance" | jq -r '.[0].pci')
		ports=$(jq --arg name "p$n" --arg device "pci:$address" '.[$name] = {device: $device}' <<<"$ports")
	done
	jq --arg name "$instance" '{appliance: $name, ports: ., bridges: {br0: {ports: map_values({untagged: 1})}}}' <<<"$ports"
}

report()
{
	vfctl vf list
	vfctl doctor
}

case ${1:-report} in
report) report ;;
give) give "${2:?an instance}" "${@:3}" ;;
take) take "${2:?an instance}" ;;
*)
	echo "vfs.sh: $1: give INSTANCE PORT..., take INSTANCE or report" >&2
	exit 2
	;;
esac
