#!/usr/bin/env bash
# Open MPI counts the terminating zero in the length of its version text, and in no other text.
#
# One would guess: the length that MPI_Get_library_version gives is that of what can be printed, as MPI 3.1 says of it (section 8.1.1), and as
#   it is for MPI_Get_processor_name and MPI_Error_string.
# What happens: it is one more. A string made of so many bytes (std::string, a JavaScript string) ends with a zero character, which
#   no terminal shows and which no comparison with the same text survives.
# Versions: Open MPI 4.1.4 of Debian 12 (libopenmpi-dev 4.1.4-3). Date: 2026-11-28.
# Why it matters here: @focal-loss/mpi shows the text as `library`. It takes the text up to its zero, and not the length.
set -euo pipefail
command -v mpicc >/dev/null && command -v mpirun >/dev/null || { echo "an MPI is missing: apt-get install libopenmpi-dev openmpi-bin" >&2; exit 2; }
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
cat > lengths.c <<'C'
#include <mpi.h>
#include <stdio.h>
#include <string.h>
int main(int argc, char** argv) {
  char version[MPI_MAX_LIBRARY_VERSION_STRING], name[MPI_MAX_PROCESSOR_NAME], error[MPI_MAX_ERROR_STRING];
  int of_version, of_name, of_error;
  MPI_Init(&argc, &argv);
  MPI_Get_library_version(version, &of_version);
  MPI_Get_processor_name(name, &of_name);
  MPI_Error_string(MPI_ERR_COMM, error, &of_error);
  printf("%s\n", version);
  printf("version: length %d, characters %zu\n", of_version, strlen(version));
  printf("processor: length minus characters %d\nerror: length minus characters %d\n", of_name - (int)strlen(name), of_error - (int)strlen(error));
  MPI_Finalize();
  return of_version == (int)strlen(version) + 1 && of_name == (int)strlen(name) && of_error == (int)strlen(error) ? 0 : 1;
}
C
mpicc lengths.c -o lengths
as_root=(); [ "$(id -u)" -ne 0 ] || as_root=(--allow-run-as-root)
mpirun "${as_root[@]}" -n 1 ./lengths
