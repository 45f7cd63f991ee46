/* The packed weights of an .onnx file, read from its own mapped pages in place of a copy. */
#ifndef CK_MODEL_FILE_H
#define CK_MODEL_FILE_H
#include <stddef.h>
#include <stdint.h>

#define MODEL_FILE_API __attribute__((visibility("default")))

typedef struct capexport_model_file capexport_model_file;

/* One initializer that holds a CKSB blob. Nothing but its first bytes has been checked. */
typedef struct {
  const char* name; /* ends with a zero */
  const void* data;
  size_t size;
} capexport_model_blob;

/* Maps the file and finds its blobs; NULL where that cannot be done. A file that is no ONNX model,
 * or a damaged one, has those that lie before the damage: to refuse it is ONNX Runtime's part.
 *
 * A session that is given the blobs with AddInitializer keeps no others. The mapping must outlive
 * it, and the file must not be written to as long. */
MODEL_FILE_API capexport_model_file* capexport_model_file_map(const char* path);
MODEL_FILE_API void capexport_model_file_unmap(capexport_model_file* file);

MODEL_FILE_API int32_t capexport_model_file_blobs(const capexport_model_file* file);

/* `number` is below capexport_model_file_blobs(). */
MODEL_FILE_API const capexport_model_blob* capexport_model_file_blob(
    const capexport_model_file* file, int32_t number);

/* Gives the pages of the mapped file in which `data` lies back to the system, which reads them again
 * if need be. Does nothing for other memory. */
void model_file_drop_pages(const void* data);
#endif
