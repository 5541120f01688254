/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The simulator: scenarios over many seeds and numbers of cores, as TAP. A failing run prints how to replay it.
 *
 *	sim [--seeds N] [--seed N] [--cores N] [--scenario NAME] [--part N/M] [--verbose]
 *
 * links: lib/fdb/fdb.c lib/fdb/replica.c lib/fdb/replica_time.c lib/core/grace.c lib/core/roles.c lib/nbr/nbr.c lib/nbr/cache.c
 * lib/nbr/cache_input.c lib/nbr/cache_time.c lib/nbr/iface.c lib/nbr/arp.c lib/nbr/nd.c
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "scenario.h"

static const struct scenario *const scenarios[] = {
	&scenario_churn,
	&scenario_full_table,
	&scenario_new_mac,
	&scenario_talk,
	&scenario_flush,
	&scenario_ageing,
	&scenario_moves,
	&scenario_flood,
	&scenario_quota,
	&scenario_stall,
	&scenario_nbr_churn,
	&scenario_nbr_full,
	&scenario_nbr_takeover,
	&scenario_nbr_ask,
	&scenario_nbr_use,
	&scenario_nbr_guard,
};

static const unsigned core_numbers[] = {2, 3, 4, 8, 16, 33, 64};

struct options {
	unsigned seeds, cores;
	unsigned part, parts; /* of the scenarios, every parts-th */
	uint64_t seed;
	bool one_seed, verbose;
	const char *scenario;
};

/* One run; prints what failed. */
static bool
run_once(const struct scenario *scenario, uint64_t seed, unsigned cores, bool verbose)
{
	struct world w = {.why = ""};
	char note[256] = "";
	bool good = scenario->run(&w, seed, cores, note, sizeof(note));

	world_free(&w);
	if (!good) {
		printf("# %s: %s\n# again: sim --scenario %s --seed %lu --cores %u\n", scenario->name, w.why, scenario->name,
			seed, cores);
	} else if (verbose) {
		printf("# %s seed %lu cores %u: %s\n", scenario->name, seed, cores, note);
	}
	return good;
}

/* All seeds and numbers of cores; the big ones cost most and get fewer seeds. */
static bool
run_scenario(const struct scenario *scenario, const struct options *options)
{
	for (size_t i = 0; i < sizeof(core_numbers) / sizeof(core_numbers[0]); i++) {
		unsigned cores = options->cores ? options->cores : core_numbers[i];
		uint64_t seeds = cores > 16 ? (options->seeds + 7) / 8 : options->seeds;
		uint64_t first = options->one_seed ? options->seed : 1, last = options->one_seed ? options->seed : seeds;
		for (uint64_t seed = first; seed <= last; seed++) {
			if (!run_once(scenario, seed, cores, options->verbose)) {
				return false;
			}
		}
		if (options->cores) {
			break;
		}
	}
	return true;
}

static bool
parse(int argc, char **argv, struct options *options)
{
	for (int i = 1; i < argc; i++) {
		const char *word = argv[i], *value = i + 1 < argc ? argv[i + 1] : NULL;
		if (!strcmp(word, "--verbose")) {
			options->verbose = true;
			continue;
		}
		if (!value) {
			return false;
		}
		i++;
		if (!strcmp(word, "--scenario")) {
			options->scenario = value;
		} else if (!strcmp(word, "--seeds")) {
			options->seeds = (unsigned)strtoul(value, NULL, 10);
		} else if (!strcmp(word, "--cores")) {
			options->cores = (unsigned)strtoul(value, NULL, 10);
		} else if (!strcmp(word, "--part")) {
			if (sscanf(value, "%u/%u", &options->part, &options->parts) != 2 || !options->parts) {
				return false;
			}
		} else if (!strcmp(word, "--seed")) {
			options->seed = strtoull(value, NULL, 10);
			options->one_seed = true;
		} else {
			return false;
		}
	}
	return options->cores <= SEG_MAX_CORES;
}

int
main(int argc, char **argv)
{
	struct options options = {.seeds = 20, .parts = 1};
	unsigned number = 0, failed = 0;

	if (!parse(argc, argv, &options)) {
		fprintf(stderr, "usage: sim [--seeds N] [--seed N] [--cores N] [--scenario NAME] [--part N/M] [--verbose]\n");
		return 2;
	}
	for (size_t i = 0; i < sizeof(scenarios) / sizeof(scenarios[0]); i++) {
		if ((options.scenario && strcmp(options.scenario, scenarios[i]->name) != 0) ||
			i % options.parts != options.part % options.parts) {
			continue;
		}
		bool good = run_scenario(scenarios[i], &options);
		failed += !good;
		printf("%s %u - sim %s: %s\n", good ? "ok" : "not ok", ++number, scenarios[i]->name, scenarios[i]->text);
		fflush(stdout);
	}
	printf("1..%u\n", number);
	return number == 0 || failed != 0;
}
