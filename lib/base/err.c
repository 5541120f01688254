/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/err.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

enum err_code
err_set(struct err *err, enum err_code code, const char *fmt, ...)
{
	if (err) {
		va_list args;
		va_start(args, fmt);
		vsnprintf(err->message, sizeof(err->message), fmt, args);
		va_end(args);
		err->code = code;
		err->hint[0] = '\0';
	}
	return code;
}

enum err_code
err_hint(struct err *err, const char *fmt, ...)
{
	if (!err) {
		return ERR_FAILED;
	}
	va_list args;
	va_start(args, fmt);
	vsnprintf(err->hint, sizeof(err->hint), fmt, args);
	va_end(args);
	return err->code;
}

const char *
err_name(enum err_code code)
{
	switch (code) {
	case ERR_NONE:
		return "none";
	case ERR_FAILED:
		return "failed";
	case ERR_USAGE:
		return "usage";
	case ERR_NOT_FOUND:
		return "not_found";
	case ERR_EXISTS:
		return "exists";
	case ERR_REFUSED:
		return "refused";
	case ERR_NO_ENGINE:
		return "no_engine";
	case ERR_PARTLY:
		return "partly";
	case ERR_DIFFERS:
		return "differs";
	case ERR_TIMEOUT:
		return "timeout";
	}
	return "failed";
}
