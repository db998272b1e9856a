#!/usr/bin/env bash
# Compiles the addon for another platform with a compiler of Debian's, stages it as build/prebuilt/PLATFORM and checks it:
#   bash scripts/prebuilt/cross.sh PLATFORM
# Some minutes the first time; after that, what has changed.
set -euo pipefail
cd "$(dirname "$0")/../.."
platform=$1
build=$PWD/build/$platform

case $platform in
linux-arm64-gnu)
  compiler=aarch64-linux-gnu-g++
  debian=g++-aarch64-linux-gnu
  arch=arm64
  options=(DCMAKE_SYSTEM_NAME=Linux DCMAKE_SYSTEM_PROCESSOR=aarch64)
  ;;
win32-x64)
  compiler=x86_64-w64-mingw32-g++-posix
  debian=g++-mingw-w64-x86-64-posix
  arch=x64
  names=$(node -p "require('node-api-headers').def_paths.node_api_def")
  options=(DCMAKE_SYSTEM_NAME=Windows DCMAKE_SYSTEM_PROCESSOR=AMD64 DCMAKE_RUNTIME_OUTPUT_DIRECTORY="$build/Release"
    DCMAKE_JS_NODELIB_DEF="$names" DCMAKE_JS_NODELIB_TARGET="$build/libnode.a")
  ;;
*)
  echo "cross: '$platform' is not compiled here; expected linux-arm64-gnu or win32-x64" >&2
  exit 2
  ;;
esac

if ! command -v $compiler >/dev/null; then
  echo "cross: $compiler is missing (Debian: apt-get install $debian)" >&2
  exit 1
fi
options+=(DCMAKE_CXX_COMPILER=$compiler DFOCAL_CUDA=OFF DFOCAL_CUDA_EMULATED=OFF)
npx cmake-js compile --out "$build" --arch $arch "${options[@]/#/--C}"
node scripts/prebuilt/stage.mjs "$platform" "$build/Release/focal_loss.node"
node scripts/prebuilt/check.mjs "build/prebuilt/$platform"
