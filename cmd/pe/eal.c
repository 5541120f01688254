/* SPDX-License-Identifier: GPL-3.0-or-later */
/* DPDK's environment: its arguments, its memory, its talk. */
#include <dirent.h>
#include <errno.h>
#include <rte_eal.h>
#include <rte_errno.h>
#include <rte_log.h>
#include <rte_mbuf.h>
#include <rte_mempool.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "control.h"

#define CACHE 256       /* mbufs a core keeps at hand */
#define EAL_EXTRA_MB 64 /* what devices and DPDK itself need beside the mbufs, */
#define EAL_CORE_MB 1   /* and each data core */
#define MAX_ARGS 24
#define ARG_SIZE 4096

/* ---- what DPDK says --------------------------------------------------------------------------------------------- */

static char first_error[160], last_error[200]; /* DPDK tells why something failed in its log only */

static ssize_t
take_log(void *cookie, const char *text, size_t size)
{
	(void)cookie;
	size_t n = size;
	while (n && (text[n - 1] == '\n' || text[n - 1] == ' ')) {
		n--;
	}
	if (rte_log_cur_msg_loglevel() <= (int)RTE_LOG_ERR) {
		snprintf(last_error, sizeof(last_error), "%.*s", (int)n, text);
		if (!first_error[0]) {
			snprintf(first_error, sizeof(first_error), "%.*s", (int)n, text);
		}
	}
	log_write(LOG_LEVEL_DEBUG, "dpdk: %.*s", (int)n, text);
	return (ssize_t)size;
}

void
eal_listen(void)
{
	first_error[0] = '\0';
}

const char *
eal_heard(void)
{
	return first_error;
}

static FILE *log_stream;

static bool
open_log(void)
{
	log_stream = fopencookie(NULL, "w", (cookie_io_functions_t){.write = take_log});
	if (log_stream) {
		setvbuf(log_stream, NULL, _IOLBF, 512);
		rte_openlog_stream(log_stream);
	}
	return log_stream != NULL;
}

/* ---- memory ----------------------------------------------------------------------------------------------------- */

static uint64_t
eal_mb(const struct conf *conf, bool routes)
{
	uint64_t bytes = routes ? conf_fib_bytes(conf) : 0;
	struct conf_memory_item items[16];
	size_t n = conf_memory(conf, items, sizeof(items) / sizeof(items[0]));
	for (size_t i = 0; i < n; i++) {
		bytes += strcmp(items[i].what, "mbufs") == 0 ? items[i].bytes : 0;
	}
	return bytes / (1 << 20) * 9 / 8 + EAL_EXTRA_MB +
	       conf->cores * EAL_CORE_MB; /* an eighth for what does not fit into the ends of pages */
}

static uint64_t
needed_mb(const struct conf *conf)
{
	return eal_mb(conf, conf->nifaces > 0);
}

/* Free huge pages of all sizes. */
static uint64_t
free_huge_mb(void)
{
	uint64_t kb = 0;
	DIR *dir = opendir("/sys/kernel/mm/hugepages");
	for (struct dirent *entry; dir && (entry = readdir(dir));) {
		unsigned long long size, count;
		char path[320];
		if (sscanf(entry->d_name, "hugepages-%llukB", &size) != 1) {
			continue;
		}
		snprintf(path, sizeof(path), "/sys/kernel/mm/hugepages/%s/free_hugepages", entry->d_name);
		FILE *file = fopen(path, "re");
		if (file && fscanf(file, "%llu", &count) == 1) {
			kb += size * count;
		}
		if (file) {
			fclose(file);
		}
	}
	if (dir) {
		closedir(dir);
	}
	return kb / 1024;
}

/* What the kernel could give without swapping (proc(5), meminfo). */
static uint64_t
free_small_mb(void)
{
	unsigned long long kb;
	uint64_t found = UINT64_MAX;
	char line[128];
	FILE *file = fopen("/proc/meminfo", "re");
	while (file && fgets(line, sizeof(line), file)) {
		if (sscanf(line, "MemAvailable: %llu kB", &kb) == 1) {
			found = kb / 1024;
		}
	}
	if (file) {
		fclose(file);
	}
	return found;
}

/* Better a refusal than the OOM killer, who may take somebody else. */
static enum err_code
check_memory(const struct conf *conf, bool huge, uint64_t huge_mb, struct err *err)
{
	uint64_t wanted = needed_mb(conf), there = huge ? huge_mb : free_small_mb();
	if (wanted <= there) {
		return ERR_NONE;
	}
	err_set(err, ERR_REFUSED, "memory: %llu MB%s are free, %llu are needed", (unsigned long long)there,
		huge ? " of huge pages" : "", (unsigned long long)wanted);
	return err_hint(err, huge ? "memory.hugepages \"auto\", or more of them: sysctl vm.nr_hugepages=N"
				  : "fewer memory.mbufs or tables.routes; pe check -c FILE says what needs how much");
}

/* ---- arguments -------------------------------------------------------------------------------------------------- */

struct args {
	int n;
	char *arg[MAX_ARGS + 1];
	bool bad;
};

static void __attribute__((format(printf, 2, 3))) add_arg(struct args *args, const char *fmt, ...)
{
	va_list list;
	va_start(list, fmt);
	char *text = NULL;
	if (args->n == MAX_ARGS || vasprintf(&text, fmt, list) < 0) {
		args->bad = true;
	} else {
		args->arg[args->n++] = text;
	}
	va_end(list);
}

/* One lcore, that of this thread, on the CPUs it may use anyway: data cores register themselves. */
static void
add_lcore(struct args *args)
{
	char cpus[ARG_SIZE] = "";
	cpu_set_t set;
	size_t at = 0;
	CPU_ZERO(&set);
	if (sched_getaffinity(0, sizeof(set), &set) < 0) {
		CPU_SET(0, &set);
	}
	for (unsigned i = 0; i < CPU_SETSIZE && at + 8 < sizeof(cpus); i++) {
		if (CPU_ISSET(i, &set)) {
			at += (size_t)snprintf(cpus + at, sizeof(cpus) - at, "%s%u", at ? "," : "", i);
		}
	}
	add_arg(args, "--lcores=0@(%s)", cpus);
}

static void
make_args(struct args *args, const struct engine *engine, bool huge)
{
	add_arg(args, "pe");
	add_lcore(args);
	add_arg(args, "--no-telemetry");
	add_arg(args, "--no-shconf");
	add_arg(args, "--iova-mode=va");
	add_arg(args, "--file-prefix=pekit-%s", engine->conf.appliance);
	if (access("/sys/bus/pci/devices", R_OK) < 0) {
		add_arg(args, "--no-pci");
	} else {
		/* None at the start: an allow-list of one that is nobody's. Ports that are configured are probed one by one. */
		add_arg(args, "--allow=ffff:ff:1f.7");
	}
	if (huge) {
		add_arg(args, "--in-memory");
	} else {
		add_arg(args, "--no-huge");
		add_arg(args, "-m");
		/* Fixed from here on, and interfaces may come later. What is never touched costs nothing. */
		add_arg(args, "%llu", (unsigned long long)eal_mb(&engine->conf, true));
	}
}

static enum err_code
start_eal(struct engine *engine, bool huge, struct err *err)
{
	struct args args = {0};
	make_args(&args, engine, huge);
	char *argv[MAX_ARGS + 1]; /* getopt() reorders it */
	memcpy(argv, args.arg, sizeof(argv));
	int result = args.bad ? -1 : rte_eal_init(args.n, argv);
	for (int i = 0; i < args.n; i++) {
		free(args.arg[i]);
	}
	rmdir(rte_eal_get_runtime_dir()); /* empty, and DPDK would leave it behind */
	if (result < 0) {
		err_set(err, ERR_FAILED, "DPDK does not start: %s", last_error[0] ? last_error : rte_strerror(rte_errno));
		return huge ? err_hint(err, "memory.hugepages \"off\" does without huge pages") : ERR_FAILED;
	}
	return ERR_NONE;
}

/* The device's address of an mbuf is the program's (--iova-mode=va). */
static void
give_address(struct rte_mempool *pool, void *arg, void *object, unsigned index)
{
	struct rte_mbuf *m = object;
	(void)pool;
	(void)arg;
	(void)index;
	rte_mbuf_iova_set(m, (rte_iova_t)(uintptr_t)m->buf_addr);
}

static enum err_code
make_pool(struct engine *engine, bool huge, struct err *err)
{
	const struct conf *conf = &engine->conf;
	char name[RTE_MEMPOOL_NAMESIZE];
	snprintf(name, sizeof(name), "%.20s", conf->appliance);
	unsigned size = (unsigned)sizeof(struct rte_mbuf) + conf_mbuf_room(conf);
	struct rte_pktmbuf_pool_private data = {.mbuf_data_room_size = (uint16_t)conf_mbuf_room(conf)};
	/* Addresses of the devices are virtual ones, so an mbuf may lie across two pages: of 4 KiB each it would else take a
	 * whole one. */
	engine->pool = rte_mempool_create_empty(
		name, conf->mbufs, size, CACHE, sizeof(data), SOCKET_ID_ANY, huge ? 0 : RTE_MEMPOOL_F_NO_IOVA_CONTIG);
	/* A stack without locks: a thread that loses its CPU in the middle of it stalls nobody. */
	int error = !engine->pool ? -rte_errno : rte_mempool_set_ops_byname(engine->pool, "lf_stack", NULL);
	if (!error) {
		rte_pktmbuf_pool_init(engine->pool, &data);
		error = rte_mempool_populate_default(engine->pool);
	}
	if (error < 0) {
		err_set(err, ERR_FAILED, "no pool of %u mbufs: %s", conf->mbufs,
			error == -EINVAL ? "DPDK's driver librte_mempool_stack is missing" : rte_strerror(-error));
		return err_hint(err, "fewer memory.mbufs, or more memory");
	}
	rte_mempool_obj_iter(engine->pool, rte_pktmbuf_init, NULL);
	if (!huge) {
		/* DPDK takes it that devices cannot reach such mbufs. */
		rte_mempool_obj_iter(engine->pool, give_address, NULL);
		engine->pool->flags &= ~(unsigned)RTE_MEMPOOL_F_NON_IO;
	}
	return ERR_NONE;
}

enum err_code
eal_start(struct engine *engine, bool *hugepages, struct err *err)
{
	const struct conf *conf = &engine->conf;
	uint64_t huge_mb = free_huge_mb();
	*hugepages = conf->hugepages == CONF_HUGE_ON || (conf->hugepages == CONF_HUGE_AUTO && huge_mb >= needed_mb(conf));
	enum err_code code = check_memory(conf, *hugepages, huge_mb, err);
	if (code != ERR_NONE) {
		return code;
	}
	if (!open_log()) {
		return err_set(err, ERR_FAILED, "no memory");
	}
	code = start_eal(engine, *hugepages, err);
	return code != ERR_NONE ? code : make_pool(engine, *hugepages, err);
}

void
eal_stop(struct engine *engine)
{
	rte_mempool_free(engine->pool);
	engine->pool = NULL;
	if (log_stream) {
		rte_eal_cleanup();
		rte_openlog_stream(NULL);
		fclose(log_stream);
		log_stream = NULL;
	}
}
