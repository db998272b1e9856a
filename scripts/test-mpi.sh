#!/usr/bin/env bash
# Data-parallel training over MPI: builds @focal-loss/mpi and runs jobs of 1 to 4 ranks, on MPICH (--mpich: there alone) and on the MPI that mpirun is
# (--default: there alone). Installs them (through apt, where it may): nothing else of this package needs one. Where it may not, MPICH is left out.
set -euo pipefail
cd "$(dirname "$0")/.."

what="${1:-both}"
case "$what" in
  both | --default | --mpich) ;;
  *) echo "mpi: '$what' is not an option; expected --mpich, --default, or none" >&2; exit 1 ;;
esac
may_install() { [ "$(id -u)" -eq 0 ] && command -v apt-get >/dev/null; }

# expect LAUNCHER COMPILER PACKAGE...
expect() {
  command -v "$1" >/dev/null && command -v "$2" >/dev/null && return
  local install="apt-get -o DPkg::Lock::Timeout=300 install -y --no-install-recommends ${*:3}"
  may_install || { echo "mpi: $1 and $2 are missing; install ${*:3}" >&2; exit 1; }
  DEBIAN_FRONTEND=noninteractive $install >/dev/null || { echo "mpi: apt could not install it; run this to see why: $install" >&2; exit 1; }
}

# test_on LAUNCHER COMPILER
test_on() {
  # From the start: what CMake has found of another MPI stays in its cache
  npm run build:mpi -- "--CDMPI_CXX_COMPILER=$(command -v "$2")"
  FOCAL_LOSS_TEST_MPI=$1 npx vitest run test/mpi
}

# First, as mpirun is MPICH's where there is no other
[ "$what" = --mpich ] || expect mpirun mpicxx libopenmpi-dev openmpi-bin
if [ "$what" = both ] && ! command -v mpirun.mpich >/dev/null && ! may_install; then
  echo "mpi: mpirun.mpich is missing, and MPICH not tested"
  what=--default
fi
if [ "$what" != --default ]; then
  expect mpirun.mpich mpicxx.mpich libmpich-dev mpich
  test_on mpirun.mpich mpicxx.mpich
fi
# Last: the addon that stays is that of mpirun
[ "$what" = --mpich ] || test_on mpirun mpicxx
