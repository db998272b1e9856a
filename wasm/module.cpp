// What the WebAssembly module exports beside the functions of problem.h: room in its memory, and which contract it was built for.
#include <stdlib.h>

#include "problem.h"

extern "C" {

int32_t focal_abi() { return FOCAL_ABI; }

// Null where the memory cannot grow any further. Aligned for every array the kernel reads.
void *focal_malloc(size_t bytes) { return aligned_alloc(64, (bytes + 63) / 64 * 64); }

void focal_free(void *memory) { free(memory); }

}
