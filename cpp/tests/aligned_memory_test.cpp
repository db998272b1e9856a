#include "aligned_memory.h"

#include <doctest/doctest.h>
#include <stdint.h>
#include <string.h>

#include <initializer_list>

TEST_CASE("memory is aligned for every vector, as large as was asked for, and can be given back") {
  for (size_t bytes : {1, 63, 64, 65, 100'000, 10'000'000}) {
    void *const memory = focal::allocate_aligned(bytes);
    REQUIRE(memory != nullptr);
    CHECK(reinterpret_cast<uintptr_t>(memory) % focal::memory_alignment == 0);
    memset(memory, 1, bytes);
    focal::free_aligned(memory);
  }
  focal::free_aligned(nullptr);
}

TEST_CASE("what no machine has is null") {
  volatile size_t bytes = SIZE_MAX / 2;
  CHECK(focal::allocate_aligned(bytes) == nullptr);
}
