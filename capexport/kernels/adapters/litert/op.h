/* A node that the delegate has taken: what it computes, and what it keeps to do so. */
#ifndef OP_H
#define OP_H
#include "settings.h"
#include "stock_layer.h"
#include "tfl_abi.h"

typedef struct op op;

/* One operator. The functions report why they fail; `close` also gets what `open` left half done. */
typedef struct {
  const char* name; /* custom code in the file; of TFLite's own operators, for the report */
  int inputs;       /* number of them, none omitted; custom operators only */

  /* Checks the constants, once. All of op but its state is set. */
  tfl_status (*open)(tfl_context* c, const tfl_node* node, op* op);

  /* Looks at the shape of x, which may have changed: gives y its shape, sets op->scratch_size. */
  tfl_status (*prepare)(tfl_context* c, op* op);

  tfl_status (*run)(tfl_context* c, const op* op, const void* x, void* y, void* scratch);
  void (*close)(op* op);
} op_kind;

struct op {
  const op_kind* kind;
  const settings* settings;
  const stock_layer* layer; /* only while `open` runs, and only of TFLite's own operators */
  int node;
  int x, y;            /* numbers of the tensors that change */
  size_t scratch_size; /* that `run` needs */
  void* own_y;         /* the result, where the runtime has no memory for it */
  void* state;         /* the kind's own */
};

extern const op_kind SPARSE_LINEAR, SPARSE_EMBEDDING, FULLY_CONNECTED, CONV_2D;
#endif
