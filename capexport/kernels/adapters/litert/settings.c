/* Options, as strings -> settings. */
#include "settings.h"

#include <string.h>

#include "capexport_kernels.h"

enum { MOST_THREADS = 64, MOST_ROWS_OF_X = 1 << 20 };

/* A decimal number from 1 to `most`, else 0. */
static int positive(const char* text, int most) {
  int number = 0;
  for (; *text >= '0' && *text <= '9' && number <= most; text++)
    number = 10 * number + (*text - '0');
  return *text || number > most ? 0 : number;
}

static const char* open_threads(settings* s, const char* value) {
  const int threads = positive(value, MOST_THREADS);
  if (!threads) return "capexport: the option threads is no number from 1 to 64";
  if (threads == 1 || s->threads) return NULL;
  s->threads = threads_open(threads);
  return s->threads ? NULL : "capexport: no more threads can be started";
}

static const char* open_report(settings* s, const char* value) {
  if (!s->report) s->report = report_open(value);
  return s->report ? NULL : "capexport: the file of the option report cannot be written";
}

static const char* set_take(settings* s, const char* value) {
  static const char* const NAMES[] = {"faster", "all", "packed"}; /* as in take_rule */
  for (int i = 0; i < 3; i++)
    if (strcmp(value, NAMES[i]) == 0) {
      s->take = (take_rule)i;
      return NULL;
    }
  return "capexport: the option take is not faster, all or packed";
}

static const char* set(settings* s, const char* key, const char* value) {
  if (strcmp(key, "threads") == 0) return open_threads(s, value);
  if (strcmp(key, "report") == 0) return open_report(s, value);
  if (strcmp(key, "rows_of_x") == 0) {
    s->rows_of_x = positive(value, MOST_ROWS_OF_X);
    return s->rows_of_x ? NULL : "capexport: the option rows_of_x is no number from 1 to 1048576";
  }
  if (strcmp(key, "take") == 0) return set_take(s, value);
  return "capexport: the options are threads, report, rows_of_x and take";
}

const char* settings_open(settings* s, const char* const* keys, const char* const* values,
                          size_t count) {
  *s = (settings){.isa = ck_isa()};
  for (size_t i = 0; i < count; i++) {
    const char* wrong = keys[i] && values[i] ? set(s, keys[i], values[i]) : "capexport: no option";
    if (wrong) return wrong;
  }
  return NULL;
}

void settings_close(settings* s) {
  threads_close(s->threads);
  report_close(s->report);
}
