/* Shared by the AArch64 files. */
#ifndef CK_NEON_H
#define CK_NEON_H
#include <arm_neon.h>

#include "../inline.h"
#endif
