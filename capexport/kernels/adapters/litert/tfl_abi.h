/* TFLite's delegate interface by its layout: the fields in their order, as far as they are used.
 *
 * No header of the runtime is needed and no symbol of it: everything is reached through function
 * pointers in tfl_context. Function slots that are not called here are void*. The layout is that of
 * LiteRT 2.x, and of TensorFlow and tflite-runtime since 2.14. */
#ifndef TFL_ABI_H
#define TFL_ABI_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef enum { TFL_OK = 0, TFL_ERROR = 1 } tfl_status;

enum {
  TFL_FLOAT32 = 1, /* types of tensors */
  TFL_INT32 = 2,
  TFL_UINT8 = 3,
  TFL_CONSTANT = 1, /* allocation type of a tensor that lies in the file */
  TFL_CUSTOM = 32,  /* builtin codes of operators */
  TFL_DELEGATE = 51,
  TFL_LAST_BUILTIN = 1023,      /* above every builtin code: there are about 210 */
  TFL_ALLOW_DYNAMIC_TENSORS = 1 /* flag of a delegate */
};

typedef struct {
  int size;
  int data[];
} tfl_ints;

struct tfl_context;
struct tfl_delegate;

typedef struct {
  int type;
  void* data;
  tfl_ints* dims;
  struct {
    float scale;
    int32_t zero_point;
  } params;
  int allocation_type;
  size_t bytes;
  const void* allocation;
  const char* name;
  struct tfl_delegate* delegate;
  int buffer_handle;
  bool data_is_stale;
  bool is_variable;
  struct {
    int type;
    void* params;
  } quantization;
  void* sparsity;
  const tfl_ints* dims_signature;
} tfl_tensor;

typedef struct {
  tfl_ints *inputs, *outputs, *intermediates, *temporaries;
  void* user_data;
  void* builtin_data;
  const void* custom_data;
  int custom_size;
  struct tfl_delegate* delegate;
  bool might_have_side_effect;
} tfl_node;

/* Passed by value, and grown over the years: at least as large as the largest version, and zero
 * where nothing is said. */
typedef struct {
  void* (*init)(struct tfl_context*, const char* parameters, size_t size);
  void (*free)(struct tfl_context*, void* user_data);
  tfl_status (*prepare)(struct tfl_context*, tfl_node*);
  tfl_status (*invoke)(struct tfl_context*, tfl_node*);
  void* profiling_string;
  int32_t builtin_code;
  const char* custom_name;
  int version;
  void* reserved[8];
} tfl_registration;

typedef struct tfl_context {
  size_t tensors_size;
  tfl_status (*GetExecutionPlan)(struct tfl_context*, tfl_ints** plan);
  tfl_tensor* tensors;
  void* impl;
  tfl_status (*ResizeTensor)(struct tfl_context*, tfl_tensor*, tfl_ints* takes_ownership);
  void (*ReportError)(struct tfl_context*, const char* format, ...);
  void* AddTensors;
  tfl_status (*GetNodeAndRegistration)(struct tfl_context*, int, tfl_node**, tfl_registration**);
  tfl_status (*ReplaceNodeSubsetsWithDelegateKernels)(struct tfl_context*, tfl_registration,
                                                      const tfl_ints* nodes, struct tfl_delegate*);
  /* more follows */
} tfl_context;

/* What `init` gets as its parameters. */
typedef struct {
  struct tfl_delegate* delegate;
  tfl_ints *nodes, *inputs, *outputs;
} tfl_delegate_params;

typedef struct tfl_delegate {
  void* data;
  tfl_status (*Prepare)(tfl_context*, struct tfl_delegate*);
  void *CopyFromBufferHandle, *CopyToBufferHandle, *FreeBufferHandle;
  int64_t flags;
  void* reserved[8];
} tfl_delegate;
#endif
