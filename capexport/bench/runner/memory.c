/* Lines of files below /proc/self. */
#define _GNU_SOURCE
#include "memory.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static long field(const char* path, const char* key) {
  char line[512];
  long value = -1;
  FILE* file = fopen(path, "r");
  if (!file) return -1;
  while (value < 0 && fgets(line, sizeof line, file))
    if (strncmp(line, key, strlen(key)) == 0) value = strtol(line + strlen(key), NULL, 10);
  fclose(file);
  return value;
}

long resident_kib(void) { return field("/proc/self/status", "VmRSS:"); }
long peak_resident_kib(void) { return field("/proc/self/status", "VmHWM:"); }
long own_kib(void) { return field("/proc/self/status", "RssAnon:"); }
long proportional_kib(void) { return field("/proc/self/smaps_rollup", "Pss:"); }

long long mapped_bytes(const char* path) {
  char line[8192], full[4097];
  long long sum = 0;
  FILE* file = fopen("/proc/self/maps", "r");
  if (!file || !realpath(path, full)) return 0;
  while (fgets(line, sizeof line, file)) {
    unsigned long long start, end;
    const char* name = strchr(line, '/');
    if (!name || sscanf(line, "%llx-%llx", &start, &end) != 2) continue;
    line[strcspn(line, "\n")] = 0;
    if (strcmp(name, full) == 0) sum += (long long)(end - start);
  }
  fclose(file);
  return sum;
}
