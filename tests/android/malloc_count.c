/* org.capexport.core.NativeGraphLeakTest: what glibc's malloc has handed out. */
#include <malloc.h>
#include <stdint.h>

int64_t Java_org_capexport_core_NativeGraphLeakTest_bytesInUse(void* env, void* cls) {
  (void)env, (void)cls;
  const struct mallinfo2 info = mallinfo2();
  return (int64_t)(info.uordblks + info.hblkhd);
}
