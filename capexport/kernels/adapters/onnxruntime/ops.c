/* RegisterCustomOps, the one symbol of the library, and what both operators have in common. */
#include "ops.h"

#include "model_file.h"

OrtStatus* read_row_floats(const node* n, const OrtKernelInfo* info, size_t index, int32_t rows,
                           int32_t other, const char* misfit, row_floats* out) {
  tensor floats;
  OrtStatus* status = node_constant(n, info, index, &floats);
  if (status) return status;
  if (floats.rank != 1 || (floats.size != rows && floats.size != other))
    return node_error(n, ORT_INVALID_ARGUMENT, misfit);
  *out = (row_floats){floats.data, floats.size != rows};
  return NULL;
}

OrtStatus* check_placeholder(const node* n, const OrtKernelInfo* info, size_t index, float value,
                             const char* misfit) {
  row_floats one;
  OrtStatus* status = read_row_floats(n, info, index, 1, 1, misfit, &one);
  if (status || *one.values == value) return status;
  return node_error(n, ORT_INVALID_ARGUMENT, misfit);
}

OrtStatus* read_weight(const node* n, const OrtKernelInfo* info, ck_weights* weights,
                       row_floats* scale) {
  tensor blob;
  OrtStatus* status = node_constant(n, info, 1, &blob);
  if (status) return status;
  const ck_status checked = ck_weights_blob(weights, blob.data, (size_t)blob.size);
  model_file_drop_pages(blob.data);
  if (checked != CK_OK) return node_error(n, ORT_INVALID_ARGUMENT, ck_status_text(checked));
  *scale = (row_floats){NULL, 0};
  if (weights->has_scale)
    return check_placeholder(n, info, 2, 1, "the weight has its scales, but scale is not 1");
  return read_row_floats(n, info, 2, weights->rows, weights->live_rows,
                         "scale is not one float per row", scale);
}

const char* on_cpu(const OrtCustomOp* op) { return (void)op, "CPUExecutionProvider"; }
size_t one_output(const OrtCustomOp* op) { return (void)op, 1; }
int float_output(const OrtCustomOp* op, size_t i) { return (void)op, (void)i, ORT_TENSOR_FLOAT; }
int required(const OrtCustomOp* op, size_t i) { return (void)op, (void)i, ORT_REQUIRED; }
int default_memory(const OrtCustomOp* op, size_t i) {
  return (void)op, (void)i, ORT_MEMORY_DEFAULT;
}
int not_variadic(const OrtCustomOp* op) { return (void)op, 1; }

OrtStatus* create_sparse_domain(const OrtApi* api, OrtCustomOpDomain** out) {
  OrtCustomOpDomain* domain;
  OrtStatus* status = api->CreateCustomOpDomain("capexport", &domain);
  if (status) return status;
  status = api->CustomOpDomain_Add(domain, &SPARSE_MATMUL);
  if (!status) status = api->CustomOpDomain_Add(domain, &SPARSE_GATHER);
  if (status)
    api->ReleaseCustomOpDomain(domain);
  else
    *out = domain;
  return status;
}

/* A session keeps a pointer to the domain and tells nobody when it goes, so the domain, some
 * hundred bytes, is never released. */
__attribute__((visibility("default"))) OrtStatus* RegisterCustomOps(OrtSessionOptions* options,
                                                                    const OrtApiBase* base) {
  const OrtApi* api = base->GetApi(ORT_API_LEVEL);
  if (!api)
    return base->GetApi(1)->CreateStatus(
        ORT_FAIL, "the sparse operators of capexport need ONNX Runtime 1.17 or later");
  OrtCustomOpDomain* domain;
  OrtStatus* status = create_sparse_domain(api, &domain);
  if (status) return status;
  status = api->AddCustomOpDomain(options, domain);
  if (status) api->ReleaseCustomOpDomain(domain);
  return status;
}
