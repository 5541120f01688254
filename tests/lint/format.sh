#!/bin/bash
# clang-format agrees. usage: format.sh [ROOT]; `make format` makes it so
cd "${1:-.}" || exit 2
find lib cmd tests -name '*.[ch]' -print0 2>/dev/null | xargs -0r clang-format --style=file --dry-run -Werror 2>&1 | grep -E 'error:' | head -20
[ "${PIPESTATUS[1]}" = 0 ]
