#!/bin/sh
# Builds, stages and checks the addon for one Linux platform, inside a container of that platform:
#   docker run --rm -v "$PWD:/project" -w /project IMAGE sh scripts/prebuilt/build-linux.sh PLATFORM
# AlmaLinux 8 has the glibc that Node.js 20 asks for, 2.28, and newer compilers beside it; so has NVIDIA's image on Rocky Linux 8, which
# has nvcc as well. Alpine has musl.
set -eu
platform=$1

case $platform in
*-gnu | *-gnu-cuda)
  dnf -y -q module enable nodejs:20
  dnf -y -q install nodejs npm cmake make gcc-toolset-13
  . /opt/rh/gcc-toolset-13/enable
  glibc="--glibc 2.28"
  ;;
*-musl)
  apk add --quiet nodejs npm cmake make g++ linux-headers
  glibc=
  ;;
*)
  echo "build-linux: '$platform' is no Linux platform" >&2
  exit 2
  ;;
esac

npm ci --ignore-scripts --no-audit --no-fund
npx cmake-js compile --prefer-make --CDFOCAL_CUDA_EMULATED=OFF
node scripts/prebuilt/stage.mjs "$platform"
# shellcheck disable=SC2086 # two words or none
node scripts/prebuilt/check.mjs "build/prebuilt/$platform" $glibc
