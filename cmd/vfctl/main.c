/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * vfctl: PFs, VFs and other PCI devices. The grammar; each verb is in a file of its own.
 *
 * Verbs of "vf" and of "pci" share their run functions: what only one of them has, is asked for with cli_nth(), which takes names
 * that the table lacks.
 */
#include <string.h>

#include "vfctl.h"

#define ARG_WORD(word, var, text) \
	{ \
		.name = (word), .place = CLI_ARG, .type = CLI_WORD, .metavar = (var), .help = (text), .flags = CLI_REQUIRED \
	}
#define ARG_FILE(text, value) \
	{ \
		.name = "file", .place = CLI_ARG, .type = CLI_FILE, .metavar = "FILE", .help = (text), .preset = (value) \
	}
#define KEY_WORD(word, var, text) \
	{ \
		.name = (word), .place = CLI_KEY, .type = CLI_WORD, .metavar = (var), .help = (text) \
	}
#define KEY_ONE_OF(word, var, list, text) \
	{ \
		.name = (word), .place = CLI_KEY, .type = CLI_ENUM, .metavar = (var), .words = (list), .help = (text) \
	}
#define KEY_RANGE(word, var, least, most, text) \
	{ \
		.name = (word), .place = CLI_KEY, .type = CLI_NUMBER, .metavar = (var), .min = (least), .max = (most), \
		.help = (text) \
	}
/* "none" is 0. */
#define KEY_RATE(word, text) \
	{ \
		.name = (word), .place = CLI_KEY, .type = CLI_BPS, .metavar = "R", .words = "none", .help = (text) \
	}
#define KEY_SWITCH(word, text) KEY_ONE_OF(word, "on|off", "on|off", text)
#define KEY_CLASS KEY_ONE_OF("class", "C", VFCTL_CLASSES, "devices of this class")
#define KEY_HOLDER(how, text) \
	{ \
		.name = "holder", .place = CLI_KEY, .type = CLI_WORD, .metavar = "H", .help = (text), .flags = (how) \
	}
#define KEY_DRIVER(text) KEY_WORD("driver", "D", text)
#define KEY_GENERATION KEY_RANGE("generation", "G", 1, 0, "the lease's generation, as the lease said it")
#define OPT_FORCE(text) \
	{ \
		.name = "force", .place = CLI_OPT, .type = CLI_FLAG, .help = (text) \
	}
#define OPT_FORCE_REBIND OPT_FORCE("even if its interface is up, or the default route or your login goes over it")
#define OPT_FORCE_SET OPT_FORCE("even if the default route or your login goes over it")
#define OPT_FORCE_RELEASE OPT_FORCE("whoever holds it, and even if its interface is up")
#define END \
	{ \
		.name = NULL \
	}

/* The words of "vf set", which a lease takes too. */
#define VF_WORDS \
	{.name = "mac", \
		.place = CLI_KEY, \
		.type = CLI_MAC, \
		.metavar = "M|auto", \
		.words = "auto", \
		.help = "its address; auto: one that is the same after every boot"}, \
		{.name = "vlan", \
			.place = CLI_KEY, \
			.type = CLI_NUMBER, \
			.metavar = "V", \
			.words = "none", \
			.max = VLAN_MAX, \
			.help = "its port VLAN, which the NIC adds and takes off; 0 or none: it has none"}, \
		KEY_RANGE("qos", "Q", 0, 7, "the priority in the port VLAN's tag"), \
		KEY_ONE_OF("proto", "P", "802.1Q|802.1ad", "the port VLAN's tag"), \
		KEY_RATE("rate", "the most it may send, such as 2G; none: no limit"), \
		KEY_RATE("min-rate", "what it can always send; none: nothing is promised"), \
		KEY_SWITCH("trust", "may it ask for more addresses and promiscuous modes"), \
		KEY_SWITCH("spoofchk", "are frames that it sends from other addresses dropped"), \
		KEY_ONE_OF("link", "L", "auto|enable|disable", "its link: as the port's, always, never"), \
		KEY_SWITCH("promisc", "does it receive all unicast frames, where the driver has a switch for it"), \
		KEY_SWITCH("allmulti", "does it receive all multicast frames, where the driver has a switch for it")

#define PORT_WORDS \
	{.name = "speed", \
		.place = CLI_KEY, \
		.type = CLI_BPS, \
		.metavar = "S", \
		.help = "such as 10G; with autonegotiation the only one that is offered"}, \
		KEY_ONE_OF("duplex", "D", "half|full", "the duplex mode"), \
		KEY_SWITCH("autoneg", "does it agree on speed and duplex with its partner"), \
		KEY_SWITCH("pause-autoneg", "does it agree on flow control with its partner"), \
		KEY_SWITCH("pause-rx", "does it stop sending when the partner asks for it"), \
		KEY_SWITCH("pause-tx", "does it ask the partner to stop sending"), \
		KEY_RANGE("mtu", "N", 68, UINT16_MAX, "the largest packet, in bytes"), KEY_SWITCH("up", "is the interface up")

/* ---- words -------------------------------------------------------------------------------------------------------- */

static const struct cli_param pf_list_params[] = {
	{.name = "output",
		.letter = 'o',
		.place = CLI_OPT,
		.type = CLI_ENUM,
		.metavar = "FORMAT",
		.words = "table|wide|json|jsonl|csv|lspci",
		.preset = "table",
		.help = "the form of the output; lspci: every network function as lspci -n has it"},
	END,
};

static const struct cli_param pf_show_params[] = {ARG_WORD("pf", "PF", "the port: interface, label or PCI address"), END};

static const struct cli_param vf_list_params[] = {
	KEY_WORD("pf", "PF", "VFs of this port"),
	KEY_HOLDER(0, "VFs that this one holds"),
	KEY_DRIVER("VFs with this driver; none: those without any"),
	{.name = "free", .place = CLI_OPT, .type = CLI_FLAG, .help = "only VFs that nobody holds or uses"},
	END,
};

#define VF_HELP "the VF: PF:N, its interface or PCI address"
#define DEV_HELP "the device: its PCI address or interface"

static const struct cli_param vf_show_params[] = {ARG_WORD("vf", "VF", VF_HELP), END};

static const struct cli_param numvfs_params[] = {
	ARG_WORD("pf", "PF", "the port: interface, label or PCI address"),
	{.name = "count",
		.place = CLI_ARG,
		.type = CLI_NUMBER,
		.metavar = "N",
		.max = UINT16_MAX,
		.help = "how many VFs it shall have",
		.flags = CLI_REQUIRED},
	KEY_SWITCH("autoprobe", "are new VFs given to their kernel driver"),
	END,
};

static const struct cli_param vf_set_params[] = {ARG_WORD("vf", "VF", VF_HELP), VF_WORDS, OPT_FORCE_SET, END};

#define BIND_PARAMS(word, var, text) \
	ARG_WORD(word, var, text), \
		{.name = "driver", \
			.place = CLI_ARG, \
			.type = CLI_WORD, \
			.metavar = "DRIVER", \
			.help = "vfio-pci, xen-pciback, a kernel driver's name, kernel for the one it would have by itself, or none", \
			.flags = CLI_REQUIRED}, \
		KEY_DRIVER("the same"), OPT_FORCE_REBIND, END

static const struct cli_param vf_bind_params[] = {BIND_PARAMS("vf", "VF", VF_HELP)};
static const struct cli_param pci_bind_params[] = {BIND_PARAMS("device", "DEV", DEV_HELP)};
static const struct cli_param vf_unbind_params[] = {ARG_WORD("vf", "VF", VF_HELP), OPT_FORCE_REBIND, END};
static const struct cli_param pci_unbind_params[] = {ARG_WORD("device", "DEV", DEV_HELP), OPT_FORCE_REBIND, END};

#define LEASE_HOLDER KEY_HOLDER(CLI_REQUIRED, "who gets it: a word of the caller's own, such as an instance's name")
#define LEASE_MAY_EXIST \
	{ \
		.name = "may-exist", .place = CLI_OPT, .type = CLI_FLAG, \
		.help = "one that the holder has already will do for PF:any" \
	}
#define LEASE_DRIVER KEY_DRIVER("bind it to this driver, as bind does")

static const struct cli_param vf_lease_params[] = {
	ARG_WORD("vf", "VF", "the VF: PF:N, its interface or PCI address; PF:any: the lowest that is free"),
	LEASE_HOLDER,
	VF_WORDS,
	KEY_WORD("vlans", "LIST", "VLANs that the holder will tag by itself: 10,20,100-119; or none"),
	LEASE_DRIVER,
	LEASE_MAY_EXIST,
	OPT_FORCE_REBIND,
	END,
};
static const struct cli_param pci_lease_params[] = {
	ARG_WORD("device", "DEV", DEV_HELP), LEASE_HOLDER, LEASE_DRIVER, OPT_FORCE_REBIND, END};

#define RELEASE_PARAMS(word, var, text) \
	ARG_WORD(word, var, text), KEY_HOLDER(0, "only if this one holds it"), KEY_GENERATION, OPT_FORCE_RELEASE, END

static const struct cli_param vf_release_params[] = {RELEASE_PARAMS("vf", "VF", VF_HELP)};
static const struct cli_param pci_release_params[] = {RELEASE_PARAMS("device", "DEV", DEV_HELP)};

static const struct cli_param pci_list_params[] = {KEY_CLASS, END};
static const struct cli_param pci_show_params[] = {ARG_WORD("device", "DEV", "any PCI function: its address or interface"), END};

static const struct cli_param port_show_params[] = {
	{.name = "port",
		.place = CLI_ARG,
		.type = CLI_WORD,
		.metavar = "PORT",
		.help = "one port, with everything: interface, label or PCI address"},
	END,
};
#define PORT_HELP "the port: interface, label or PCI address"
#define OPT_FORCE_PORT OPT_FORCE("even if the default route or your login goes over it, or somebody has VFs of it")
static const struct cli_param port_set_params[] = {ARG_WORD("port", "PORT", PORT_HELP), PORT_WORDS, OPT_FORCE_PORT, END};
static const struct cli_param port_reset_params[] = {ARG_WORD("port", "PORT", PORT_HELP), OPT_FORCE_PORT, END};

static const struct cli_param apply_params[] = {ARG_FILE("what shall be; - for stdin", VFCTL_FILE), OPT_FORCE_REBIND, END};
static const struct cli_param save_params[] = {ARG_FILE("where to write it, instead of stdout", NULL), END};
static const struct cli_param doctor_params[] = {
	{.name = "config",
		.letter = 'c',
		.place = CLI_OPT,
		.type = CLI_FILE,
		.metavar = "FILE",
		.help = "look at what this appliance's file asks of the host, too"},
	{.name = "appliance",
		.letter = 'a',
		.place = CLI_OPT,
		.type = CLI_APPLIANCE,
		.metavar = "NAME",
		.help = "look at this running appliance, too"},
	END,
};

/* ---- what the words alone do not say --------------------------------------------------------------------------------- */

/* A word that goes into the ledger: it must fit and be readable there. */
static enum err_code
check_word(const struct cli *cli, const char *name, size_t size, struct err *err)
{
	const struct cli_value *value = cli_nth(cli, name, 0);
	if (!value || !value->text) {
		return ERR_NONE;
	}
	for (const char *at = value->text; *at; at++) {
		unsigned char c = (unsigned char)*at;
		if (c <= ' ' || c >= 0x7f) {
			err_set(err, ERR_USAGE, "%s '%.80s': only letters, digits and signs of ASCII, without blanks", name,
				value->text);
			return err_hint(err, "such as vpx1");
		}
	}
	if (strlen(value->text) >= size) {
		return err_set(err, ERR_USAGE, "%s '%.80s': longer than %zu characters", name, value->text, size - 1);
	}
	return ERR_NONE;
}

static enum err_code
check_words(const struct cli *cli, struct err *err)
{
	enum err_code code = check_word(cli, "holder", LEDGER_HOLDER_SIZE, err);
	code = code ? code : check_word(cli, "driver", HOST_DRIVER_SIZE, err);
	if (!code && cli_nth(cli, "driver", 1)) {
		return err_set(err, ERR_USAGE, "driver: given twice");
	}
	return code;
}

static enum err_code
check_lease(const struct cli *cli, struct err *err)
{
	enum err_code code = check_words(cli, err);
	return code ? code : lease_check(cli, err);
}

static enum err_code
check_release(const struct cli *cli, struct err *err)
{
	if (!cli_has(cli, "holder") && !cli_has(cli, "generation") && !cli_has(cli, "force")) {
		err_set(err, ERR_USAGE, "%s: holder H or generation G is missing", cli->verb->name);
		return err_hint(err, "a late release must not touch the next holder's lease; --force ends whosever it is");
	}
	return check_words(cli, err);
}

/* ---- verbs -------------------------------------------------------------------------------------------------------- */

#define TAKES_LIST (CLI_TAKES_FORMAT | CLI_TAKES_WATCH)
#define TAKES_CHANGE (CLI_TAKES_FORMAT | CLI_TAKES_TIMEOUT | CLI_TAKES_DRY_RUN)

static const char *const pf_list_examples[] = {
	"vfctl",
	"vfctl pf list -o lspci",
	"vfctl -j pf list | jq -r '.[] | select(.vfs_free > 0) | .name'",
	NULL,
};
static const char *const pf_show_examples[] = {"vfctl pf show eth0", "vfctl pf show 0000:01:00.0 -j", NULL};
static const char *const vf_list_examples[] = {
	"vfctl vf list pf eth0 --free",
	"vfctl vf list holder vpx1 -o wide",
	"vfctl -j vf list | jq -r '.[] | select(.holder == null) | .pci'",
	NULL,
};
static const char *const vf_show_examples[] = {"vfctl vf show eth0:2", NULL};
static const char *const vf_set_examples[] = {
	"vfctl vf set eth0:2 mac auto vlan 100 qos 3 rate 2G", "vfctl vf set eth0:2 trust on spoofchk off --dry-run", NULL};
static const char *const vf_bind_examples[] = {"vfctl vf bind eth0:2 vfio-pci", NULL};
static const char *const vf_unbind_examples[] = {"vfctl vf unbind eth0:2", NULL};
static const char *const vf_lease_examples[] = {
	"vfctl vf lease eth0:any holder vpx1 mac auto vlan 100 driver vfio-pci",
	"vfctl -j vf lease eth0:2 holder vpx1 vlans 10,20 | jq .generation",
	NULL,
};
static const char *const vf_release_examples[] = {
	"vfctl vf release eth0:2 holder vpx1 generation 3", "vfctl vf release 0000:01:10.4 --force", NULL};
static const char *const numvfs_examples[] = {"vfctl numvfs eth0 7", "vfctl numvfs eth0 0 --yes", NULL};
static const char *const pci_list_examples[] = {"vfctl pci list class crypto", NULL};
static const char *const pci_show_examples[] = {"vfctl pci show 05:00.0", NULL};
static const char *const pci_assignable_examples[] = {
	"vfctl pci assignable class crypto", "vfctl -j pci assignable | jq -r '.[].free_devices[]'", NULL};
static const char *const pci_bind_examples[] = {"vfctl pci bind 05:00.0 xen-pciback", NULL};
static const char *const pci_unbind_examples[] = {"vfctl pci unbind 05:00.0", NULL};
static const char *const pci_lease_examples[] = {"vfctl pci lease 05:00.0 holder vpx1 driver vfio-pci", NULL};
static const char *const pci_release_examples[] = {"vfctl pci release 05:00.0 holder vpx1", NULL};
static const char *const port_show_examples[] = {"vfctl port show", "vfctl port show eth0", NULL};
static const char *const port_set_examples[] = {
	"vfctl port set eth0 mtu 9000", "vfctl port set eth0 pause-autoneg off pause-rx on pause-tx on", NULL};
static const char *const port_reset_examples[] = {"vfctl port reset eth0", NULL};
static const char *const apply_examples[] = {"vfctl apply --dry-run", "vfctl apply host1.json --yes", NULL};
static const char *const save_examples[] = {"vfctl save | jq .ports", "vfctl save " VFCTL_FILE, NULL};
static const char *const doctor_examples[] = {"vfctl doctor", "vfctl doctor -c /etc/pekit/edge1.json", NULL};

static const struct cli_verb verbs[] = {
	{.name = "pf list",
		.help = "List the ports that can have VFs",
		.params = pf_list_params,
		.takes = TAKES_LIST,
		.run = pf_list_run,
		.examples = pf_list_examples},
	{.name = "pf show",
		.help = "Show all about one port that can have VFs",
		.params = pf_show_params,
		.takes = TAKES_LIST,
		.run = pf_show_run,
		.examples = pf_show_examples},
	{.name = "vf list",
		.help = "List the VFs: what is set, who holds them, who uses them",
		.params = vf_list_params,
		.takes = TAKES_LIST,
		.check = check_words,
		.run = vf_list_run,
		.examples = vf_list_examples,
		.notes = "HOLDER has a lease. USED BY is what has the VF open or its interface up now, with a lease or without."},
	{.name = "vf show",
		.help = "Show all about one VF, with the past of its leases",
		.params = vf_show_params,
		.takes = TAKES_LIST,
		.run = vf_show_run,
		.examples = vf_show_examples},
	{.name = "vf set",
		.help = "Set what the port's driver keeps for a VF",
		.params = vf_set_params,
		.takes = TAKES_CHANGE,
		.check = vf_set_check,
		.run = vf_set_run,
		.examples = vf_set_examples,
		.notes =
			"What is not named stays. A driver that cannot do something refuses with a sentence (5), and nothing is changed."},
	{.name = "vf bind",
		.help = "Give a VF to another driver, such as vfio-pci",
		.params = vf_bind_params,
		.takes = TAKES_CHANGE,
		.check = check_words,
		.run = bind_run,
		.examples = vf_bind_examples,
		.notes = "The driver it had before is recorded; unbind restores it."},
	{.name = "vf unbind",
		.help = "Give a VF back to the driver it had before bind",
		.params = vf_unbind_params,
		.takes = TAKES_CHANGE | CLI_TAKES_IF_EXISTS,
		.run = unbind_run,
		.examples = vf_unbind_examples},
	{.name = "vf lease",
		.help = "Reserve a VF for a holder, and set it up",
		.params = vf_lease_params,
		.takes = TAKES_CHANGE,
		.check = check_lease,
		.run = lease_run,
		.examples = vf_lease_examples,
		.notes =
			"Every lease of a VF has a generation, one more than the last. The holder's own lease is changed where it\n"
			"differs; another holder's is an error (4)."},
	{.name = "vf release",
		.help = "End a lease: the VF gets back what it had before",
		.params = vf_release_params,
		.takes = TAKES_CHANGE | CLI_TAKES_IF_EXISTS,
		.check = check_release,
		.run = release_run,
		.examples = vf_release_examples,
		.notes = "A holder or generation that is not the lease's is an error (4), and nothing is touched."},
	{.name = "numvfs",
		.help = "Make VFs, or take them away",
		.params = numvfs_params,
		.takes = TAKES_CHANGE | CLI_TAKES_YES,
		.run = numvfs_run,
		.examples = numvfs_examples,
		.notes =
			"Refused (5) when a VF that would be lost is leased or in use; each is named. Asks before VFs are lost."},
	{.name = "pci list",
		.help = "List other devices that can be passed through",
		.params = pci_list_params,
		.takes = TAKES_LIST,
		.run = pci_list_run,
		.examples = pci_list_examples,
		.notes = "All functions that are neither bridges nor ports and VFs of a network card with SR-IOV."},
	{.name = "pci show",
		.help = "Show all about any PCI function",
		.params = pci_show_params,
		.takes = TAKES_LIST,
		.run = pci_show_run,
		.examples = pci_show_examples},
	{.name = "pci assignable",
		.help = "Count what can be given to instances: in all, free, held",
		.params = pci_list_params,
		.takes = TAKES_LIST,
		.run = pci_assignable_run,
		.examples = pci_assignable_examples,
		.notes =
			"Free is what nobody holds or uses and no kernel driver works with. KERNEL is what a kernel driver has:\n"
			"bind it to vfio-pci or xen-pciback to have it free."},
	{.name = "pci bind",
		.help = "Give a device to another driver, such as vfio-pci",
		.params = pci_bind_params,
		.takes = TAKES_CHANGE,
		.check = check_words,
		.run = bind_run,
		.examples = pci_bind_examples,
		.notes = "The driver it had before is recorded; unbind restores it."},
	{.name = "pci unbind",
		.help = "Give a device back to the driver it had before bind",
		.params = pci_unbind_params,
		.takes = TAKES_CHANGE | CLI_TAKES_IF_EXISTS,
		.run = unbind_run,
		.examples = pci_unbind_examples},
	{.name = "pci lease",
		.help = "Reserve a device for one holder",
		.params = pci_lease_params,
		.takes = TAKES_CHANGE,
		.check = check_lease,
		.run = lease_run,
		.examples = pci_lease_examples},
	{.name = "pci release",
		.help = "End a device's lease",
		.params = pci_release_params,
		.takes = TAKES_CHANGE | CLI_TAKES_IF_EXISTS,
		.check = check_release,
		.run = release_run,
		.examples = pci_release_examples,
		.notes = "A holder or generation that is not the lease's is an error (4), and nothing is touched."},
	{.name = "port show",
		.help = "Show speed, duplex, flow control and MTU of the ports",
		.params = port_show_params,
		.takes = TAKES_LIST,
		.run = port_show_run,
		.examples = port_show_examples},
	{.name = "port set",
		.help = "Set speed, duplex, flow control, MTU of a port",
		.params = port_set_params,
		.takes = TAKES_CHANGE,
		.check = port_set_check,
		.run = port_set_run,
		.examples = port_set_examples,
		.notes = "What it was before is recorded the first time; reset restores it."},
	{.name = "port reset",
		.help = "Set a port back to what it was before it was first set",
		.params = port_reset_params,
		.takes = TAKES_CHANGE,
		.run = port_reset_run,
		.examples = port_reset_examples},
	{.name = "apply",
		.help = "Make the host what a file says; unchanged when it is",
		.params = apply_params,
		.takes = TAKES_CHANGE | CLI_TAKES_YES,
		.run = apply_run,
		.examples = apply_examples,
		.notes = "What the file does not name is left alone."},
	{.name = "save",
		.help = "Print the host as a file for apply",
		.params = save_params,
		.takes = CLI_TAKES_FORMAT,
		.run = save_run,
		.examples = save_examples},
	{.name = "doctor",
		.help = "Look for what keeps VFs from working, and how to mend it",
		.params = doctor_params,
		.takes = CLI_TAKES_FORMAT,
		.run = doctor_run,
		.examples = doctor_examples},
	{.name = NULL},
};

static const struct cli_param options[] = {
	{.name = "root",
		.place = CLI_OPT,
		.type = CLI_FILE,
		.metavar = "DIR",
		.help = "look at a host that was recorded there, instead of this one"},
	END,
};

static const struct cli_tool tool = {
	.name = "vfctl",
	.summary = "virtual functions, their ports and other PCI devices",
	.verbs = verbs,
	.default_verb = "pf list",
	.options = options,
	.batch = true,
	.complete = vfctl_complete,
};

int
main(int argc, char **argv)
{
	return cli_main(&tool, argc, argv);
}
