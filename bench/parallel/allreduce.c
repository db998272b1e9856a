/* The all-reduces of test/mpi/rank.mjs (speed) without JavaScript: what MPI itself takes. Prints the same line of JSON. */
#include <mpi.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { FEW = 15, MANY = 1000000 };

static double microseconds(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return 1e6 * now.tv_sec + 1e-3 * now.tv_nsec;
}

/* The least of so many calls. */
static double least(int times, void* data, int count, MPI_Datatype type) {
  double best = 1e300;
  for (int i = 0; i < times; i++) {
    const double begin = microseconds();
    MPI_Allreduce(MPI_IN_PLACE, data, count, type, MPI_SUM, MPI_COMM_WORLD);
    const double taken = microseconds() - begin;
    if (taken < best) best = taken;
  }
  return best;
}

int main(int argc, char** argv) {
  double few[FEW] = {0};
  float* many = calloc(MANY, sizeof(float));
  int rank;
  MPI_Init(&argc, &argv);
  MPI_Comm_rank(MPI_COMM_WORLD, &rank);
  const double of_few = least(20000, few, FEW, MPI_DOUBLE);
  const double of_many = least(50, many, MANY, MPI_FLOAT);
  if (rank == 0) printf("{\"few\":%.3f,\"many\":%.5f}\n", of_few, of_many / 1e3);
  free(many);
  return MPI_Finalize();
}
