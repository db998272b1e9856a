#!/usr/bin/env bash
# Data-parallel training over MPI: builds @focal-loss/mpi and runs jobs of 1 to 4 ranks. Installs an MPI (through apt, where it may):
# nothing else of this package needs one.
set -euo pipefail
cd "$(dirname "$0")/.."

if ! command -v mpirun >/dev/null || ! command -v mpicxx >/dev/null; then
  install="apt-get install -y --no-install-recommends libopenmpi-dev openmpi-bin"
  [ "$(id -u)" -eq 0 ] && command -v apt-get >/dev/null || { echo "mpi: no MPI here; install one ($install), or MPICH" >&2; exit 1; }
  DEBIAN_FRONTEND=noninteractive $install >/dev/null || { echo "mpi: apt could not install it; run this to see why: $install" >&2; exit 1; }
fi
npm run build:mpi
FOCAL_LOSS_TEST_MPI=yes npx vitest run test/mpi
