/* What the kernel says about this process' memory. */
#ifndef MEMORY_H
#define MEMORY_H

/* Fields of /proc/self/status and smaps_rollup, in KiB; -1 where the kernel does not tell. */
long resident_kib(void);
long own_kib(void); /* of it, what no file backs */
long peak_resident_kib(void);
long proportional_kib(void);

/* Bytes of a file that are mapped. */
long long mapped_bytes(const char* path);
#endif
