#!/usr/bin/env bash
# scripts/test-sanitizers.sh [kernel] [threads] [addon]: all three if none is named. With g++ of Debian (libasan, libtsan, libubsan come with it).
#   kernel   the kernel's tests under AddressSanitizer and UndefinedBehaviorSanitizer
#   threads  the tests of its threads under ThreadSanitizer
#   addon    suites on the native backend, in Node.js, with an addon under AddressSanitizer and UndefinedBehaviorSanitizer
# At -O1, and but for the vectorised kernels: with sanitizers each of their files takes a compiler half an hour. npm run test:fuzz has those of the
# baseline under AddressSanitizer. FOCAL_LOSS_JOBS: compilers at a time.
set -euo pipefail
cd "$(dirname "$0")/.."
jobs=${FOCAL_LOSS_JOBS:-$(nproc)}
[ $# -gt 0 ] || set -- kernel threads addon

# A report ends the process with 99, and no leak is looked for: those of the engine would be counted (npm run test:soak looks at memory)
export ASAN_OPTIONS=detect_leaks=0:exitcode=99:detect_stack_use_after_return=0 UBSAN_OPTIONS=print_stacktrace=1 TSAN_OPTIONS=die_after_fork=0:exitcode=99

build() { # FOLDER TARGET FLAGS...
  local folder=build/sanitizers/$1 target=$2
  shift 2
  # As cmake-js does it, for the headers of Node-API; the kernel's own tests come with it
  npx cmake-js configure --log-level warn -O "$folder" -B Debug --CDFOCAL_SANITIZERS=ON --CDFOCAL_CUDA=OFF "--CDCMAKE_CXX_FLAGS_DEBUG=-O1 -g1 -fno-omit-frame-pointer $*"
  cmake --build "$folder" -j"$jobs" --target "$target"
}
# Not vptr: what Node.js is compiled with leaves no types to compare
address=(-fsanitize=address,undefined -fno-sanitize=vptr -fno-sanitize-recover=undefined)

test_kernel() {
  build address focal_tests "${address[@]}"
  # A large std::vector of a test is to be refused, not to end the process
  ASAN_OPTIONS=$ASAN_OPTIONS:allocator_may_return_null=1 build/sanitizers/address/cpp/tests/focal_tests
}

test_threads() {
  build thread focal_thread_tests -fsanitize=thread
  # Its shadow memory wants a process whose addresses are not random
  setarch -R build/sanitizers/thread/cpp/tests/focal_thread_tests
}

# Of what goes between JavaScript and the kernel: memory that changes, threads that end, calls that are stopped
suites=(backends/{conformance,asynchronous,asynchronous_process,extremes,turns,queue} backends/native/{backend,threads} arrays/{memory,changing,lies} problem/{bad_input,targets}
  losses/{masked_classes,accumulator})

test_addon() {
  build address focal_loss "${address[@]}"
  # A copy of the project that has this addon: children of tests, and worker threads, find it as they would any other
  local copy=build/sanitizers/copy
  rm -rf "$copy" && mkdir -p "$copy/build/Release"
  cp -r src test scripts docs dist package.json tsconfig.json vitest.config.ts README.md "$copy/"
  ln -s "$PWD/node_modules" "$copy/node_modules"
  cp "build/sanitizers/address/Debug/focal_loss.node" "$copy/build/Release/"
  # libstdc++ too: AddressSanitizer looks for its functions when the process starts
  local preload
  preload="$(g++ -print-file-name=libasan.so) $(g++ -print-file-name=libubsan.so) $(g++ -print-file-name=libstdc++.so)"
  suites=("${suites[@]/#/test/}")
  (cd "$copy" && LD_PRELOAD=$preload FOCAL_LOSS_TEST_BACKENDS=native FOCAL_LOSS_TEST_LIMIT=240000 node node_modules/vitest/vitest.mjs run --testTimeout 300000 --no-file-parallelism "${suites[@]/%/.test.ts}")
}

for part in "$@"; do
  case $part in
    kernel | threads | addon) echo "test-sanitizers: $part"; "test_$part" ;;
    *) echo "test-sanitizers: no part $part; expected kernel, threads or addon" >&2; exit 1 ;;
  esac
done
