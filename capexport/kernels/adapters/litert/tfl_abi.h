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
  TFL_INT8 = 9,
  TFL_CONSTANT = 1, /* allocation type of a tensor that lies in the file */
  TFL_AFFINE = 1,   /* quantization type: `params` is a tfl_affine */
  TFL_DENSE = 0,    /* formats of a sparse tensor's dimensions */
  TFL_CSR = 1,
  TFL_CONV_2D = 3, /* builtin codes of operators */
  TFL_FULLY_CONNECTED = 9,
  TFL_CUSTOM = 32,
  TFL_DELEGATE = 51,
  TFL_DENSIFY = 124,
  TFL_LAST_BUILTIN = 1023,      /* above every builtin code: there are about 210 */
  TFL_ALLOW_DYNAMIC_TENSORS = 1 /* flag of a delegate */
};

typedef struct {
  int size;
  int data[];
} tfl_ints;

typedef struct {
  int size;
  float data[];
} tfl_floats;

/* real = scale * (stored - zero point), for all of a tensor or along an axis. */
typedef struct {
  tfl_floats* scale;
  tfl_ints* zero_point;
  int32_t axis;
} tfl_affine;

typedef struct {
  int format;
  int size;                     /* dense */
  tfl_ints *segments, *indices; /* CSR */
} tfl_dimension;

/* The dimensions are first the tensor's axes, then those inside a block. */
typedef struct {
  tfl_ints *traversal_order, *block_map;
  tfl_dimension* dimensions;
  int count;
} tfl_sparsity;

typedef enum { TFL_NO_ACTIVATION, TFL_RELU, TFL_RELU_N1_TO_1, TFL_RELU6 } tfl_activation;

/* What `builtin_data` of a node points to; more follows in each. */
typedef struct {
  int activation;
  int weights_format; /* 0: rows */
  bool keep_num_dims;
} tfl_fully_connected;

typedef struct {
  int padding;
  int stride_width, stride_height;
  int activation;
  int dilation_width, dilation_height;
} tfl_conv_2d;

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
  tfl_sparsity* sparsity; /* NULL: dense */
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
