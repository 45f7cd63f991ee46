/* LiteRT's shared library, opened by its path. */
#ifndef LITERT_LIBRARY_H
#define LITERT_LIBRARY_H
#include "failure.h"
#include "litert_abi.h"

/* Loads the library and looks up every function of LRT_FUNCTIONS. */
lrt_status open_library(const char* path, lrt_library* library, failure* why);
void close_library(lrt_library* library);

/* A function by its name, stored in the pointer to a function that `function` points to. */
lrt_status look_up(const lrt_library* library, const char* name, void* function, failure* why);

/* Asks for the type of a tensor: fails unless it has the size that litert_abi.h gives it. Every
 * other structure that LiteRT fills in is a part of it. */
lrt_status check_layout(const lrt_library* library, lrt_handle tensor, failure* why);

/* Passes a status on; where it is none of success, `why` says what failed. */
lrt_status checked(lrt_status status, const char* what, failure* why);
#endif
