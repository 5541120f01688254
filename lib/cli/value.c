/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Words of the command line as values of their types. */
#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/num.h"
#include "cli/priv.h"

#define CORE_MAX 64

const char *
value_type_name(enum cli_type type)
{
	static const char *const names[] = {
		[CLI_FLAG] = "flag",
		[CLI_WORD] = "word",
		[CLI_ENUM] = "enum",
		[CLI_NUMBER] = "number",
		[CLI_TIME] = "time",
		[CLI_BPS] = "bps",
		[CLI_PPS] = "pps",
		[CLI_VLAN] = "vlan",
		[CLI_MAC] = "mac",
		[CLI_IP] = "ip",
		[CLI_CORE] = "core",
		[CLI_FILE] = "file",
		[CLI_APPLIANCE] = "appliance",
		[CLI_BRIDGE] = "bridge",
		[CLI_PORT] = "port",
		[CLI_IFACE] = "interface",
		[CLI_NAME] = "name",
	};
	return names[type];
}

bool
value_is_name(const char *text)
{
	size_t n = 0;
	for (; text[n]; n++) {
		unsigned char c = (unsigned char)text[n];
		if (c > 126 || !(isalnum(c) || (n && strchr("._-", c)))) {
			return false;
		}
	}
	return n >= 1 && n <= 31;
}

static bool
parse_enum(const char *words, const char *text, uint64_t *number)
{
	size_t length;
	const char *word;
	for (size_t i = 0; (word = grammar_word(words, i, &length)) != NULL; i++) {
		if (strlen(text) == length && memcmp(text, word, length) == 0) {
			*number = i;
			return true;
		}
	}
	return false;
}

static bool
parse_typed(const struct cli_param *param, const char *text, struct cli_value *value)
{
	if (param->words && param->type != CLI_ENUM && parse_enum(param->words, text, &value->number)) {
		return true;
	}
	uint64_t max = param->max ? param->max : UINT64_MAX;
	switch (param->type) {
	case CLI_FLAG:
		return false;
	case CLI_WORD:
	case CLI_FILE:
		return text[0] != '\0';
	case CLI_ENUM:
		return parse_enum(param->words, text, &value->number);
	case CLI_NUMBER:
		return num_parse_u64(text, param->min, max, &value->number);
	case CLI_TIME:
		return num_parse_time_ms(text, &value->number) && value->number >= param->min && value->number <= max;
	case CLI_BPS:
		return num_parse_bps(text, &value->number);
	case CLI_PPS:
		return num_parse_pps(text, &value->number);
	case CLI_VLAN:
		return num_parse_u64(text, VLAN_MIN, VLAN_MAX, &value->number);
	case CLI_MAC:
		return mac_parse(text, &value->number);
	case CLI_IP:
		return ip_parse(text, &value->ip);
	case CLI_CORE:
		return num_parse_u64(text, 1, CORE_MAX, &value->number);
	case CLI_APPLIANCE:
	case CLI_BRIDGE:
	case CLI_PORT:
	case CLI_IFACE:
	case CLI_NAME:
		return value_is_name(text);
	}
	return false;
}

/* A bound as one would type it: of a time 100ms, 1s, 1d. */
static const char *
bound(const struct cli_param *param, uint64_t number, char text[static 32])
{
	static const struct {
		uint64_t ms;
		const char *name;
	} units[] = {{86400000, "d"}, {3600000, "h"}, {60000, "m"}, {1000, "s"}, {1, "ms"}};
	size_t i = 0;
	while (number % units[i].ms) {
		i++;
	}
	bool time = param->type == CLI_TIME;
	snprintf(text, 32, "%" PRIu64 "%s", time ? number / units[i].ms : number, time ? units[i].name : "");
	return text;
}

static void
range_hint(const struct cli_param *param, struct err *err)
{
	char min[32], max[32];
	if (param->max) {
		err_hint(err, "%s to %s", bound(param, param->min, min), bound(param, param->max, max));
	} else if (param->min) {
		err_hint(err, "%s or more", bound(param, param->min, min));
	} else if (param->type == CLI_TIME) {
		err_hint(err, "such as 14s, 100ms, 2h or 5d; a bare number is seconds");
	} else {
		err_hint(err, "decimal, or hexadecimal after 0x");
	}
}

static void
type_hint(const struct cli_param *param, struct err *err)
{
	switch (param->type) {
	case CLI_FLAG:
		err_hint(err, "it stands alone");
		break;
	case CLI_WORD:
	case CLI_FILE:
		err_hint(err, "it must not be empty");
		break;
	case CLI_ENUM:
		err_hint(err, "one of %s", param->words);
		break;
	case CLI_NUMBER:
	case CLI_TIME:
		range_hint(param, err);
		break;
	case CLI_BPS:
		err_hint(err, "bits a second, such as 5G, 500Mbit or 64k");
		break;
	case CLI_PPS:
		err_hint(err, "packets a second, such as 2M, 500kpps or 100");
		break;
	case CLI_VLAN:
		err_hint(err, "a VLAN is %d to %d", VLAN_MIN, VLAN_MAX);
		break;
	case CLI_MAC:
		err_hint(err, "a MAC address is like 02:00:00:00:00:01, 02-00-00-00-00-01 or 0200.0000.0001");
		break;
	case CLI_IP:
		err_hint(err, "an address is like 10.0.10.1 or 2001:db8::1");
		break;
	case CLI_CORE:
		err_hint(err, "a data core is 1 to %d", CORE_MAX);
		break;
	case CLI_APPLIANCE:
	case CLI_BRIDGE:
	case CLI_PORT:
	case CLI_IFACE:
	case CLI_NAME:
		err_hint(err, "a name is 1 to 31 letters, digits, '.', '_' or '-' and begins with a letter or digit");
		break;
	}
}

static void
hint(const struct cli_param *param, struct err *err)
{
	type_hint(param, err);
	if (err && param->words && param->type != CLI_ENUM) {
		struct err plain = *err;
		err_hint(err, "%s; or %s", plain.hint, param->words);
	}
}

enum err_code
value_parse(const struct cli_param *param, const char *text, struct cli_value *value, struct err *err)
{
	static const char *const nouns[] = {
		[CLI_FLAG] = "it takes no value",
		[CLI_WORD] = "not a word",
		[CLI_ENUM] = "not known",
		[CLI_NUMBER] = "not a number in range",
		[CLI_TIME] = "not a time in range",
		[CLI_BPS] = "not a rate",
		[CLI_PPS] = "not a rate",
		[CLI_VLAN] = "not a VLAN",
		[CLI_MAC] = "not a MAC address",
		[CLI_IP] = "not an IP address",
		[CLI_CORE] = "not a core",
		[CLI_FILE] = "not a path",
		[CLI_APPLIANCE] = "not an appliance's name",
		[CLI_BRIDGE] = "not a bridge's name",
		[CLI_PORT] = "not a port's name",
		[CLI_IFACE] = "not an interface's name",
		[CLI_NAME] = "not a name",
	};
	*value = (struct cli_value){.param = param, .text = text};
	if ((param->type == CLI_FLAG && !text) || ((param->flags & CLI_OPTIONAL) && !text)) {
		return ERR_NONE;
	}
	if (parse_typed(param, text, value)) {
		return ERR_NONE;
	}
	const char *dashes = param->place == CLI_OPT ? "--" : "";
	const char *name = param->place == CLI_ARG && param->metavar ? param->metavar : param->name;
	err_set(err, ERR_USAGE, "%s%s '%s': %s", dashes, name, text, nouns[param->type]);
	hint(param, err);
	return ERR_USAGE;
}
