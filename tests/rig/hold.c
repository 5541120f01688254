/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Opens a device through vfio, as an engine or a guest does, says "held" and keeps it until it is killed: hold GROUP ADDRESS.
 *
 * links: nothing of the project
 */
#include <fcntl.h>
#include <linux/vfio.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <unistd.h>

int
main(int argc, char **argv)
{
	char path[64];
	if (argc != 3) {
		return 2;
	}
	snprintf(path, sizeof(path), "/dev/vfio/%s", argv[1]);
	int container = open("/dev/vfio/vfio", O_RDWR), group = open(path, O_RDWR);
	if (container < 0 || group < 0 || ioctl(group, VFIO_GROUP_SET_CONTAINER, &container) < 0 ||
		ioctl(container, VFIO_SET_IOMMU, VFIO_TYPE1_IOMMU) < 0 || ioctl(group, VFIO_GROUP_GET_DEVICE_FD, argv[2]) < 0) {
		perror("hold");
		return 1;
	}
	puts("held");
	fflush(stdout);
	pause();
	return 0;
}
