/* The end of the program when something cannot be done: one line says where and why. */
#ifndef FAILURE_H
#define FAILURE_H
#include <stddef.h>

_Noreturn void stop(const char* where, const char* why);

/* Zeroed memory, or the end of the program. */
void* take(size_t count, size_t size);
#endif
