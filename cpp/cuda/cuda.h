/* The kernel on NVIDIA GPUs: problems of cpp/problem.h whose arrays lie in a card's memory, or in the host's.
 *
 * A FocalCuda is one device as one thread uses it: a stream, scratch memory and staging that are kept from call to call. Only
 * one thread at a time may be in it; any number of them may exist.
 *
 * Functions that return int32_t return a FocalStatus, or FOCAL_CUDA_FAILED: then focal_cuda_error() says what the driver said.
 */
#ifndef FOCAL_CUDA_H
#define FOCAL_CUDA_H

#include "problem.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Beside FocalStatus. */
enum FocalCudaStatus {
  FOCAL_CUDA_FAILED = 100,       /* focal_cuda_error() tells */
  FOCAL_CUDA_LOST = 101,         /* the same, and no later call on this device in this process can succeed */
  FOCAL_CUDA_WRONG_DEVICE = 102, /* an array lies on another device; error_index: its FOCAL_CUDA_* bit */
};

/* What lies in the device's memory, as bits; everything else is the host's. Class weights are always the host's. */
enum FocalCudaArrays {
  FOCAL_CUDA_LOGITS = 1,
  FOCAL_CUDA_TARGETS = 2,
  FOCAL_CUDA_WEIGHTS = 4,
  FOCAL_CUDA_MASK = 8,
  FOCAL_CUDA_VALUES = 16,
  FOCAL_CUDA_GRAD = 32,
  FOCAL_CUDA_HESS = 64,
};

/* Blocks of one call: result.sum goes on from sum_before with the bits of one call where every call but the last has a multiple of
 * so many logits (softmax: of so many tiles of rows, see focal_cuda_block_rows). */
#define FOCAL_CUDA_BLOCK_ELEMENTS 262144

typedef struct FocalCudaDevice {
  char name[256];
  int32_t major, minor; /* compute capability */
  int32_t multiprocessors;
  int32_t supported; /* does this build hold code for it? */
  double memory;     /* bytes */
} FocalCudaDevice;

typedef struct FocalCuda FocalCuda;

/* What the last function of this thread that failed has to say: one sentence. Never null. */
const char *focal_cuda_error(void);

/* The number of devices; 0 also where there is no driver. */
int32_t focal_cuda_count(int32_t *count);
int32_t focal_cuda_device(int32_t device, FocalCudaDevice *description);

int32_t focal_cuda_open(int32_t device, FocalCuda **cuda);
void focal_cuda_close(FocalCuda *cuda);

/* Computes the problem and waits for it. Outputs of a status other than FOCAL_OK and FOCAL_CANCELLED are untouched, unless the
 * device failed. `on_device`: bits of FocalCudaArrays. problem.threads and problem.isa are not looked at. */
int32_t focal_cuda_run(FocalCuda *cuda, const FocalProblem *problem, uint32_t on_device, FocalResult *result);

/* Rows of a block of the sums, as FOCAL_CUDA_BLOCK_ELEMENTS is for logits. */
double focal_cuda_block_rows(int32_t loss, double classes);

/* Memory of the device, filled with zeros. May be freed by any thread, after the FocalCuda too. 0 bytes give null. */
int32_t focal_cuda_allocate(FocalCuda *cuda, double bytes, void **memory);
void focal_cuda_free(int32_t device, void *memory);

enum FocalCudaCopy { FOCAL_CUDA_TO_DEVICE = 0, FOCAL_CUDA_TO_HOST = 1, FOCAL_CUDA_WITHIN_DEVICE = 2 };
/* Waits for the copy. */
int32_t focal_cuda_copy(FocalCuda *cuda, void *to, const void *from, double bytes, int32_t direction);

/* Makes memory of the host one that the card copies from and to at full speed, and takes it back. */
int32_t focal_cuda_pin(void *memory, double bytes);
void focal_cuda_unpin(void *memory);

/* The device in whose memory `pointer` lies; -1 for the host's. */
int32_t focal_cuda_owner(const void *pointer, int32_t *device);

/* Bytes of the device's memory, free and in all. */
int32_t focal_cuda_memory(FocalCuda *cuda, double *free_bytes, double *total_bytes);

#ifdef __cplusplus
}
#endif

#endif
