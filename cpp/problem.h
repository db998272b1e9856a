/* The contract of every backend: one plain struct in, one plain struct out.
 *
 * JavaScript writes these bytes itself (src/backends/layout.ts), for the Node addon and for WebAssembly
 * alike, so the layout is the same on 32 and 64 bit: little-endian, every field at a fixed offset,
 * pointers in slots of eight bytes, sizes as doubles (exact to 2^53). The asserts below hold it still.
 *
 * A problem is valid when it reaches a kernel: lengths agree, powers are in range, per-class arrays have
 * `classes` entries. The one thing checked here, before anything is written, is the values of targets and
 * probabilities.
 */
#ifndef FOCAL_PROBLEM_H
#define FOCAL_PROBLEM_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define FOCAL_ABI 8

/* The losses of one block are added up first, then the blocks, in their order. A block of an element-wise loss is so many
 * logits in the order of memory; of a softmax as many rows as have so many logits, and one row where a row has more. */
#define FOCAL_BLOCK_ELEMENTS 4032

/* The most that gamma, gamma_negative and |beta| may be. Past it a power is 0 or 1 for every float; below it, products with it
 * and with its square stay finite. */
#define FOCAL_LARGEST_POWER 1e15
/* And the least gamma of focal star, whose loss is over it: below, results leave the range of float. */
#define FOCAL_LEAST_STAR_GAMMA 1e-20

enum FocalLoss {
  FOCAL_SIGMOID = 0,
  FOCAL_SOFTMAX = 1,
  FOCAL_STAR = 2,
  FOCAL_QUALITY = 3,
  FOCAL_VARIFOCAL = 4,
  FOCAL_HEATMAP = 5,
  FOCAL_ASYMMETRIC = 6,
  FOCAL_SIGMOID_GENERAL = 7, /* sigmoid, linear soft targets, with gamma per class and smoothing of the cross entropy alone */
};
enum FocalDtype {
  FOCAL_FLOAT32 = 0,
  FOCAL_FLOAT64 = 1,
  FOCAL_INT8 = 2,
  FOCAL_UINT8 = 3,
  FOCAL_INT16 = 4,
  FOCAL_UINT16 = 5,
  FOCAL_INT32 = 6,
  FOCAL_UINT32 = 7,
  FOCAL_FLOAT16 = 8,  /* IEEE binary16 */
  FOCAL_BFLOAT16 = 9, /* the upper half of a float */
};
enum FocalTargets { FOCAL_DENSE = 0, FOCAL_CLASS_INDEX = 1 };
enum FocalSoftTargets { FOCAL_LINEAR = 0, FOCAL_MIXTURE = 1 };
enum FocalInputs { FOCAL_LOGITS = 0, FOCAL_PROBABILITIES = 1 };
enum FocalReduction { FOCAL_SUM = 0, FOCAL_MEAN = 1, FOCAL_MEAN_ROWS = 2, FOCAL_MEAN_POSITIVES = 3 };
enum FocalFlags {
  FOCAL_IGNORE_NAN = 1,  /* a target that is NaN is ignored, as ignore_index is; of a softmax's labels, a row of nothing else */
  FOCAL_RENORMALIZE = 2, /* rows of probabilities are divided by their sums, as part of the loss */
  FOCAL_CLASS_GAMMAS = 4, /* class_positive goes on with the gamma of each class, instead of `gamma`; sigmoid general and softmax */
  FOCAL_ASYMMETRIC_ROWS = 8, /* softmax of class indices: the other classes of a row have the factor p^gamma_negative */
};
enum FocalPer { FOCAL_ABSENT = 0, FOCAL_PER_ROW = 1, FOCAL_PER_ELEMENT = 2 };

enum FocalStatus {
  FOCAL_OK = 0,
  FOCAL_BAD_CLASS = 1,       /* targets[result.error_index] is neither a class nor background nor ignored, or a masked class of a softmax */
  FOCAL_BAD_TARGET = 2,      /* targets[result.error_index] is outside [0, 1] by more than rounding, or NaN, or above 0 for a masked class of a softmax */
  FOCAL_OUT_OF_MEMORY = 3,   /* nothing was written */
  FOCAL_BAD_PROBLEM = 4,     /* another ABI, an unknown enum value, a power out of range or a missing pointer */
  FOCAL_CANCELLED = 5,       /* outputs may have been written in part */
  FOCAL_BAD_PROBABILITY = 6, /* logits[result.error_index] is outside [0, 1] by more than rounding */
  FOCAL_BAD_ROW = 7,         /* the probabilities of row result.error_index have the sum result.error_value, which is not 1 */
};

#define FOCAL_POINTER(type, name) \
  union {                         \
    type name;                    \
    uint64_t name##_slot;         \
  }

/* logits[(o * classes + c) * inner + i] is class c of row o * inner + i. */
typedef struct FocalProblem {
  int32_t abi;
  int32_t loss;
  int32_t dtype; /* of logits and values; half precision is float in arithmetic */
  int32_t targets_kind;
  int32_t targets_dtype;
  int32_t soft_targets;
  int32_t reduction;
  int32_t weights_per;
  int32_t weights_dtype;
  int32_t mask_per;
  int32_t mask_dtype;
  int32_t threads; /* at most this many; 0: as many as the machine has */
  int32_t isa;     /* 0: the best one; k: entry k - 1 of focal_isa() */
  int32_t constant_modulator; /* asymmetric, quality, varifocal: 1 to differentiate as if the powers were constants */
  int32_t inputs;             /* what `logits` holds, and what derivatives are with respect to */
  int32_t grad_dtype;         /* as `dtype`; where that is half precision, FOCAL_FLOAT32 too */
  int32_t hess_dtype;         /* the same of `hess` */
  int32_t flags;              /* of FocalFlags. With it the integers are even in number: doubles stand at multiples of eight */

  double outer, classes, inner;
  double gamma;          /* >= 0; asymmetric: of positives; star: at least FOCAL_LEAST_STAR_GAMMA */
  double gamma_negative; /* >= 0; asymmetric, and FOCAL_ASYMMETRIC_ROWS */
  double beta;           /* star: shift; quality: power of the distance; heatmap: fading around a peak; sigmoid general: smoothing */
  double margin;         /* asymmetric: from 0 to below 1 */
  double label_smoothing;
  double background;   /* NaN: none */
  double ignore_index; /* NaN: none */
  double normalizer;   /* NaN: none. Replaces the reduction's denominator */
  double grad_scale;   /* > 0: multiplies grad and hess before they are rounded, and nothing else; 1: none */
  double positive_from; /* the least label that is counted as a positive, in the targets' type; heatmap: that is a peak, and counts as 1 */
  double least_hess;    /* what `hess` never falls below, before it is scaled; -infinity: no bound */
  double positive_weight, negative_weight; /* alpha and class weight, where the arrays below are null */
  double sum_before; /* result.sum goes on from here: of whole blocks, call after call, it has the bits of one call's */

  FOCAL_POINTER(const void *, logits);
  FOCAL_POINTER(const void *, targets);
  FOCAL_POINTER(const void *, weights);
  FOCAL_POINTER(const void *, mask); /* 0: not valid; of a softmax's element: a class that its row does not have */
  FOCAL_POINTER(const double *, class_positive); /* [classes]: weight of a positive; softmax: of the class. See FOCAL_CLASS_GAMMAS */
  FOCAL_POINTER(const double *, class_negative); /* [classes]: weight of a negative */
  FOCAL_POINTER(void *, values);                 /* per element; softmax: per row. Divided by the normalizer only */
  FOCAL_POINTER(void *, grad);                   /* of the reduced value; may be the logits themselves */
  FOCAL_POINTER(void *, hess);                   /* diagonal, of the reduced value */
  FOCAL_POINTER(const int32_t *, cancelled);     /* null, or what another thread may set to 1: the call stops at its next turn */
} FocalProblem;

typedef struct FocalResult {
  double sum;         /* unreduced, undivided */
  double elements;    /* that are valid: neither masked nor ignored */
  double rows;        /* with a valid element */
  double positives;   /* elements of at least positive_from, or rows with a class */
  double denominator; /* what the reduction (or the normalizer) divides by; the gradient is already divided */
  double error_index;
  double error_value;
} FocalResult;

/* Computes the problem. On any status but FOCAL_OK and FOCAL_CANCELLED no output buffer has been touched. */
int32_t focal_run(const FocalProblem *problem, FocalResult *result);

/* The same, with the same bits, step by step: on a thread that has other things to do in between, or on several workers
 * that share the memory. A run is begun; all its parts are scanned; the scan is finished; all its blocks are computed; it is finished;
 * and ended, there or earlier. Parts may be scanned, and blocks computed, in any order and at once; each kind is over before the
 * next step begins. Runs know nothing of each other. */
typedef struct FocalRun FocalRun;

/* FOCAL_OK, and *run is to be ended; or FOCAL_OUT_OF_MEMORY or FOCAL_BAD_PROBLEM. The problem is copied, its arrays are not.
 * It has as many workers as the problem has threads, and one where these are 0. */
int32_t focal_begin(const FocalProblem *problem, FocalRun **run);

/* Looks at the targets of parts first..last-1 of focal_scan_parts: some thousand each, in 10 us or so. */
int32_t focal_scan_parts(const FocalRun *run);
void focal_scan(FocalRun *run, int32_t first, int32_t last);

/* What focal_run would return before anything is written. On FOCAL_OK, everything of the result but its sum is there. */
int32_t focal_finish_scan(FocalRun *run, FocalResult *result);

/* Fills the outputs of blocks first..last-1 of focal_blocks: 10 us to a few ms each. A worker, from 0, does one at a time. */
int32_t focal_blocks(const FocalRun *run);
void focal_compute(FocalRun *run, int32_t worker, int32_t first, int32_t last);

/* FOCAL_OK, and the result has its sum; or FOCAL_CANCELLED. */
int32_t focal_finish(FocalRun *run, FocalResult *result);

void focal_end(FocalRun *run);

typedef struct FocalIsa {
  const char *name;        /* what FOCAL_LOSS_ISA takes */
  const char *description;
  const char *features;    /* what the processor must have */
  int32_t supported;       /* here, now */
} FocalIsa;

/* Entry `index` of the dispatch list, best first; null past its end. */
const FocalIsa *focal_isa(int32_t index);

/* How many threads this process may run at once. */
int32_t focal_hardware_threads(void);

#ifdef __cplusplus
}

static_assert(sizeof(FocalProblem) == 288, "src/backends/layout.ts writes these bytes");
static_assert(offsetof(FocalProblem, outer) == 72, "src/backends/layout.ts");
static_assert(offsetof(FocalProblem, logits) == 208, "src/backends/layout.ts");
static_assert(offsetof(FocalProblem, cancelled) == 280, "src/backends/layout.ts");
static_assert(sizeof(FocalResult) == 56, "src/backends/layout.ts reads these bytes");
#endif

#endif
