/* SPDX-License-Identifier: GPL-3.0-or-later */
/* links: lib/vf/step.c lib/vf/host.c lib/vf/names.c lib/vf/pci.c lib/vf/portset.c lib/vf/vfset.c lib/vf/keys.c lib/base/addr.c */
/* links: lib/json/field.c lib/base/err.c lib/base/num.c -ljansson */
#include "vf/step.h"
#include "vf_hosts.h"

#define ETH0_2 .func = HOSTS_IGB_PF, .index = 2
#define ETH0 .func = HOSTS_IGB_PF, .index = -1

static const struct step all[] = {
	{.kind = STEP_NUMVFS, ETH0, .from = {.number = 0}, .to = {.number = 4}},
	{.kind = STEP_AUTOPROBE, ETH0, .from = {.number = 1}, .to = {.number = 0}},
	{.kind = STEP_DRIVER, ETH0_2, .from = {.text = "igbvf"}, .to = {.text = "vfio-pci", .text2 = "vfio-pci"}},
	{.kind = STEP_DRIVER, .func = HOSTS_CRYPTO, .index = -1, .from = {.text = "vfio-pci"}, .to = {.text = STEP_KERNEL}},
	{.kind = STEP_VFSET,
		ETH0_2,
		.from = {.set = {.has = VFSET_MAC}},
		.to = {.set = {.has = VFSET_MAC, .mac = 0x525400000112}}},
	{.kind = STEP_VFSET,
		ETH0_2,
		.from = {.set = {.has = VFSET_VLAN, .proto = 0x8100}},
		.to = {.set = {.has = VFSET_VLAN, .vlan = 100, .qos = 3, .proto = 0x8100}}},
	{.kind = STEP_VFSET, ETH0_2, .to = {.set = {.has = VFSET_TRUST, .trust = true}}},
	{.kind = STEP_PORTSET,
		ETH0,
		.from = {.port = {.has = PORTSET_AUTONEG, .autoneg = true}},
		.to = {.port = {.has = PORTSET_SPEED | PORTSET_AUTONEG, .speed_bps = 100000000}}},
	{.kind = STEP_PORTSET,
		ETH0,
		.from = {.port = {.has = PORTSET_MTU, .mtu = 1500}},
		.to = {.port = {.has = PORTSET_MTU, .mtu = 9000}}},
};
#define ALL (sizeof(all) / sizeof(all[0]))

static void
steps_grow(void **state)
{
	(void)state;
	struct steps steps = {0};
	for (size_t i = 0; i < 100; i++) {
		assert_true(steps_add(&steps, &all[i % ALL]));
	}
	assert_int_equal(steps.n, 100);
	assert_memory_equal(&steps.step[99], &all[99 % ALL], sizeof(all[0]));
	steps_free(&steps);
	assert_true(steps.n == 0 && steps.step == NULL);
}

static void
undone_twice_is_done(void **state)
{
	(void)state;
	for (size_t i = 0; i < ALL; i++) {
		struct step undo = step_undo(&all[i]), again = step_undo(&undo);
		assert_memory_equal(&undo.from, &all[i].to, sizeof(undo.from));
		assert_memory_equal(&again, &all[i], sizeof(again));
		assert_false(step_keeps(&all[i]));
		again.from = again.to;
		assert_true(step_keeps(&again));
	}
}

static void
words_for_people(void **state)
{
	static const char *const want[ALL] = {
		"eth0: 4 VFs (was 0)",
		"eth0: autoprobe off (was on)",
		"eth0:2: driver vfio-pci (was igbvf)",
		"0000:05:00.0: the kernel's own driver (was vfio-pci)",
		"eth0:2: mac 52:54:00:00:01:12 (was 00:00:00:00:00:00)",
		"eth0:2: vlan 100 qos 3 (was none)",
		"eth0:2: trust on (was unknown)",
		"eth0: speed 100 Mbit/s, autoneg off (was autoneg on)",
		"eth0: mtu 9000 (was 1500)",
	};
	struct host host;
	char text[256];
	(void)state;
	hosts_igb(&host, 4);
	host_at(&host, HOSTS_IGB_PF)->label[0] = '\0';
	for (size_t i = 0; i < ALL; i++) {
		assert_string_equal(step_text(&host, &all[i], text, sizeof(text)), want[i]);
		for (size_t size = 1; size <= strlen(want[i]); size++) {
			memset(text, 'x', sizeof(text));
			step_text(&host, &all[i], text, size);
			assert_int_equal(strlen(text), size - 1);
			assert_memory_equal(text, want[i], size - 1);
			assert_int_equal(text[size], 'x');
		}
	}
	host_free(&host);
	assert_string_equal(step_text(NULL, &all[0], text, sizeof(text)), "0000:01:00.0: 4 VFs (was 0)");
	assert_string_equal(step_text(NULL, &all[2], text, sizeof(text)), "0000:01:00.0:2: driver vfio-pci (was igbvf)");
	struct step step = step_undo(&all[2]);
	step.to = (struct step_value){0};
	assert_string_equal(step_text(NULL, &step, text, sizeof(text)), "0000:01:00.0:2: no driver (was vfio-pci)");
	step.to = step.from;
	assert_string_equal(step_text(NULL, &step, text, sizeof(text)), "0000:01:00.0:2: driver vfio-pci (as before)");
	step.to.text2[0] = '\0';
	assert_string_equal(step_text(NULL, &step, text, sizeof(text)), "0000:01:00.0:2: driver_override none (was vfio-pci)");
	step = all[0];
	step.to.number = 1;
	assert_string_equal(step_text(NULL, &step, text, sizeof(text)), "0000:01:00.0: 1 VF (was 0)");
}

static void
json_there_and_back(void **state)
{
	(void)state;
	for (size_t i = 0; i < ALL; i++) {
		struct step step;
		struct err err = {0};
		json_t *json = step_to_json(&all[i]);
		assert_non_null(json);
		if (step_from_json(json, &step, &err)) {
			fail_msg("%zu: %s", i, err.message);
		}
		json_t *again = step_to_json(&step);
		assert_true(json_equal(json, again));
		assert_true(step.kind == all[i].kind && step.func == all[i].func && step.index == all[i].index);
		json_decref(again);
		json_decref(json);
	}
	json_t *json = step_to_json(&all[2]);
	char *text = json_dumps(json, JSON_COMPACT);
	assert_string_equal(text, "{\"what\":\"driver\",\"pf\":\"0000:01:00.0\",\"index\":2,\"from\":{\"driver\":\"igbvf\","
				  "\"override\":\"\"},\"to\":{\"driver\":\"vfio-pci\",\"override\":\"vfio-pci\"}}");
	free(text);
	json_decref(json);
}

static void
json_is_read_strictly(void **state)
{
	static const char *const bad[] = {
		"[]",
		"{}",
		"{\"what\":\"numvfs\",\"func\":\"0000:01:00.0\",\"from\":0}",
		"{\"what\":\"numvfs\",\"func\":\"0000:01:00.0\",\"from\":0,\"to\":-1}",
		"{\"what\":\"numvfs\",\"func\":\"0000:01:00.0\",\"from\":0,\"to\":70000}",
		"{\"what\":\"numvfs\",\"func\":\"0000:01:00.0\",\"from\":0,\"to\":\"4\"}",
		"{\"what\":\"numvfs\",\"func\":\"0000:01:00.0\",\"from\":0,\"to\":4,\"more\":1}",
		"{\"what\":\"numvfs\",\"func\":\"eth0\",\"from\":0,\"to\":4}",
		"{\"what\":\"numvfs\",\"from\":0,\"to\":4,\"more\":1}",
		"{\"what\":\"numvfs\",\"pf\":\"0000:01:00.0\",\"index\":1,\"from\":0,\"to\":4}",
		"{\"what\":\"other\",\"func\":\"0000:01:00.0\",\"from\":0,\"to\":4}",
		"{\"what\":\"autoprobe\",\"func\":\"0000:01:00.0\",\"from\":0,\"to\":1}",
		"{\"what\":\"vfset\",\"func\":\"0000:01:00.0\",\"from\":{\"trust\":true},\"to\":{\"trust\":false}}",
		"{\"what\":\"vfset\",\"pf\":\"0000:01:00.0\",\"index\":-1,\"from\":{\"trust\":true},\"to\":{\"trust\":false}}",
		"{\"what\":\"vfset\",\"pf\":\"0000:01:00.0\",\"index\":65536,\"from\":{\"trust\":true},\"to\":{\"trust\":false}}",
		"{\"what\":\"vfset\",\"pf\":\"0000:01:00.0\",\"index\":1,\"from\":{\"trust\":true},\"to\":{}}",
		"{\"what\":\"vfset\",\"pf\":\"0000:01:00.0\",\"index\":1,\"from\":{},\"to\":{\"trust\":true,\"spoofchk\":true}}",
		"{\"what\":\"vfset\",\"pf\":\"0000:01:00.0\",\"index\":1,\"from\":{\"spoofchk\":true},\"to\":{\"trust\":true}}",
		"{\"what\":\"vfset\",\"pf\":\"0000:01:00.0\",\"index\":1,\"from\":{},\"to\":{\"trust\":1}}",
		"{\"what\":\"driver\",\"pf\":\"0000:01:00.0\",\"index\":1,\"from\":{},\"to\":{}}",
		"{\"what\":\"driver\",\"pf\":\"01:00.0\",\"index\":1,\"from\":{\"driver\":\"\",\"override\":\"\"},\"to\":{\"driver\":\"a-name-that-is-too-long-for-any-driver\",\"override\":\"\"}}",
		"{\"what\":\"portset\",\"func\":\"0000:01:00.0\",\"from\":{},\"to\":{}}",
		"{\"what\":\"portset\",\"func\":\"0000:01:00.0\",\"from\":{},\"to\":{\"mtu\":\"x\"}}",
	};
	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct step step;
		struct err err = {0};
		json_t *json = json_loads(bad[i], 0, NULL);
		assert_non_null(json);
		if (step_from_json(json, &step, &err) != ERR_USAGE || !err.message[0]) {
			fail_msg("taken: %s", bad[i]);
		}
		json_decref(json);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(steps_grow),
		cmocka_unit_test(undone_twice_is_done),
		cmocka_unit_test(words_for_people),
		cmocka_unit_test(json_there_and_back),
		cmocka_unit_test(json_is_read_strictly),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
