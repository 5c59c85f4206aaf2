/*
 * Native IPOPT on the problems of the bench, through its C interface; our own text, for comparison only. native_ipopt.ts
 * writes problems.h beside it and builds both; it needs Debian's coinor-libipopt-dev.
 * Prints a line a problem: name, status, iterations, objective, median microseconds of a complete solve.
 */
#include <coin/IpStdCInterface.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

typedef struct {
  const char *name;
  int n, m, jac, hess;
  Eval_F_CB f;
  Eval_Grad_F_CB grad;
  Eval_G_CB g;
  Eval_Jac_G_CB jac_g;
  Eval_H_CB h;
  Number *x0, *xl, *xu, *gl, *gu;
} Problem;

static Bool take(int count, const Index *rows, const Index *columns, Index *row, Index *col) {
  memcpy(row, rows, count * sizeof(Index)), memcpy(col, columns, count * sizeof(Index));
  return TRUE;
}

#include "problems.h"

static int iterations;
static int stages = 8000;

/* Optimal control: x_1 ... x_{N-1}, then u_0 ... u_{N-1} */
static Number state(Number *x, int i) { return i == 0 ? 1 : i == stages ? 0 : x[i - 1]; }
static Bool control_f(Index n, Number *x, Bool fresh, Number *out, UserDataPtr data) {
  Number sum = 0;
  for (int i = 0; i < stages; i++) sum += x[stages - 1 + i] * x[stages - 1 + i];
  *out = sum / stages;
  return TRUE;
}
static Bool control_grad(Index n, Number *x, Bool fresh, Number *d, UserDataPtr data) {
  for (int k = 0; k < n; k++) d[k] = k < stages - 1 ? 0 : 2 * x[k] / stages;
  return TRUE;
}
static Bool control_g(Index n, Number *x, Bool fresh, Index m, Number *g, UserDataPtr data) {
  Number h = 1.0 / stages;
  for (int i = 0; i < stages; i++) {
    Number here = state(x, i);
    g[i] = state(x, i + 1) - here - h * (here * here + x[stages - 1 + i]);
  }
  return TRUE;
}
static Bool control_jac(Index n, Number *x, Bool fresh, Index m, Index nz, Index *row, Index *col, Number *v,
                        UserDataPtr data) {
  Number h = 1.0 / stages;
  int k = 0;
  for (int i = 0; i < stages; i++) {
    if (i > 0) {
      if (v) v[k] = -1 - 2 * h * x[i - 1];
      else row[k] = i, col[k] = i - 1;
      k++;
    }
    if (i < stages - 1) {
      if (v) v[k] = 1;
      else row[k] = i, col[k] = i;
      k++;
    }
    if (v) v[k] = -h;
    else row[k] = i, col[k] = stages - 1 + i;
    k++;
  }
  return TRUE;
}
static Bool control_h(Index n, Number *x, Bool fresh, Number s, Index m, Number *y, Bool fresh_y, Index nz, Index *row,
                      Index *col, Number *v, UserDataPtr data) {
  for (int k = 0; k < n; k++) {
    if (v) v[k] = (k < stages - 1 ? -2 * y[k + 1] : 2 * s) / stages;
    else row[k] = col[k] = k;
  }
  return TRUE;
}
static void control_bounds(Number *x, Number *xl, Number *xu) {
  for (int k = 0; k < 2 * stages - 1; k++) {
    int is_state = k < stages - 1;
    x[k] = is_state ? 1 - (k + 1.0) / stages : 0;
    xl[k] = is_state ? -2e19 : -2;
    xu[k] = is_state ? 2e19 : 2;
  }
}

static Bool count(Index mode, Index iteration, Number f, Number pr, Number du, Number mu, Number step, Number reg,
                  Number adu, Number apr, Index trials, UserDataPtr data) {
  iterations = iteration;
  return TRUE;
}

static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec * 1e6 + t.tv_nsec * 1e-3;
}

static int by_size(const void *a, const void *b) {
  double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

/* Median of `repeats` solves, each with a problem of its own or all with one, whichever is faster. */
static void run(const Problem *p, int repeats) {
  Number *x = calloc(p->n, sizeof(Number)), objective = 0;
  double *times = calloc(repeats, sizeof(double)), best = 1e300;
  int status = 0;
  for (int reuse = 0; reuse < 2; reuse++) {
    IpoptProblem nlp = NULL;
    for (int k = 0; k < repeats; k++) {
      memcpy(x, p->x0, p->n * sizeof(Number));
      double start = now();
      if (!nlp) {
        nlp = CreateIpoptProblem(p->n, p->xl, p->xu, p->m, p->gl, p->gu, p->jac, p->hess, 0, p->f, p->g, p->grad,
                                 p->jac_g, p->h);
        AddIpoptIntOption(nlp, "print_level", 0);
        AddIpoptStrOption(nlp, "sb", "yes");
        SetIntermediateCallback(nlp, count);
      }
      status = IpoptSolve(nlp, x, NULL, &objective, NULL, NULL, NULL, NULL);
      if (!reuse) FreeIpoptProblem(nlp), nlp = NULL;
      times[k] = now() - start;
    }
    if (nlp) FreeIpoptProblem(nlp);
    qsort(times, repeats, sizeof(double), by_size);
    if (times[repeats / 2] < best) best = times[repeats / 2];
  }
  printf("%s %d %d %.12g %.1f\n", p->name, status, iterations, objective, best);
  free(x), free(times);
}

int main(void) {
  for (unsigned k = 0; k < sizeof(problems) / sizeof(*problems); k++) run(&problems[k], problems[k].n < 50 ? 15 : 7);
  static const int sizes[] = {8000, 80000};
  static const char *names[] = {"control16000", "control160000"};
  for (int k = 0; k < 2; k++) {
    stages = sizes[k];
    int n = 2 * stages - 1;
    Number *block = calloc(3 * n + 2 * stages, sizeof(Number));
    Number *x0 = block, *xl = x0 + n, *xu = xl + n, *gl = xu + n, *gu = gl + stages;
    Problem control = {names[k], n, stages, 3 * stages - 2, n, control_f, control_grad, control_g, control_jac,
                       control_h, x0, xl, xu, gl, gu};
    control_bounds(x0, xl, xu);
    run(&control, k ? 1 : 5);
    free(block);
  }
  return 0;
}
