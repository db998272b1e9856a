// Memory that any vector may be loaded from, on every platform: Windows has no aligned_alloc, and takes back what it has instead by
// another name than free.
#pragma once

#include <stddef.h>
#include <stdlib.h>

#ifdef _WIN32
#include <malloc.h>
#endif

namespace focal {

constexpr size_t memory_alignment = 64;

// At least `bytes`, or null where there are none.
inline void *allocate_aligned(size_t bytes) {
  const size_t whole = (bytes + memory_alignment - 1) / memory_alignment * memory_alignment;
#ifdef _WIN32
  return _aligned_malloc(whole, memory_alignment);
#else
  return aligned_alloc(memory_alignment, whole);
#endif
}

// Of allocate_aligned, or null.
inline void free_aligned(void *memory) {
#ifdef _WIN32
  _aligned_free(memory);
#else
  free(memory);
#endif
}

}  // namespace focal
