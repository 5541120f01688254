#!/bin/bash
# Pure areas have no system calls, clock, log or streams, and allocate nothing where packets go. usage: pure.sh [ROOT]
cd "${1:-.}" || exit 2
bad=0
AREAS="base json net core fdb nbr route bridge rss limit conf ds vf"
# lib/conf, lib/vf and what builds plans and views allocate; nothing that a packet meets does
MAY_ALLOCATE='^lib/(conf/|json/where\.c|vf/|bridge/plan\.c|ds/index\.c|fdb/view\.c|nbr/view\.c)'

for area in $AREAS; do
	[ -d "lib/$area" ] || continue
	if grep -nE '#[[:space:]]*include[[:space:]]*<(time|unistd|fcntl|errno|signal|poll|pthread|syslog|sched|dirent|sys/|net/|netinet/|arpa/|linux/)' \
		"lib/$area"/*.[ch]; then
		echo "lib/$area is pure: no such header"
		bad=1
	fi
	if grep -nE '(^|[^[:alnum:]_])(v?f?printf|puts|putchar|perror|fopen|open|read|write|close|ioctl|socket|time|clock|clock_gettime|gettimeofday|getenv|exit|abort|rand|random|sleep|usleep)\(' \
		"lib/$area"/*.[ch] | grep -vE ':[[:space:]]*(/?\*|//)|format\(printf'; then
		echo "lib/$area is pure: no such call"
		bad=1
	fi
	for file in "lib/$area"/*.[ch]; do
		[[ $file =~ $MAY_ALLOCATE ]] && continue
		if grep -HnE '(^|[^[:alnum:]_])(malloc|calloc|realloc|aligned_alloc|strdup|strndup|asprintf|free)\(' "$file"; then
			echo "$file: nothing is allocated on the way of a packet"
			bad=1
		fi
	done
done
exit $bad
