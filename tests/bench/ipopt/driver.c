/*
 * Native IPOPT on the problems of solver_problems.ts, through its C interface; our own text, for comparison only.
 * Prints a line a problem: name, status, iterations, objective, median microseconds of a complete solve.
 * cc -O2 driver.c -lipopt -lm -o driver, where Debian's coinor-libipopt-dev is installed.
 */
#include <coin/IpStdCInterface.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

typedef struct {
  const char *name;
  int n, m, jac, hess, repeats;
  Eval_F_CB f;
  Eval_Grad_F_CB grad;
  Eval_G_CB g;
  Eval_Jac_G_CB jac_g;
  Eval_H_CB h;
  void (*bounds)(Number *x, Number *xl, Number *xu, Number *gl, Number *gu);
} Problem;

static int iterations;
static int stages = 8000;
static int rosen;

static void fill(Number *a, int n, Number value) {
  for (int i = 0; i < n; i++) a[i] = value;
}

static Bool no_g(Index n, Number *x, Bool fresh, Index m, Number *g, UserDataPtr data) { return TRUE; }
static Bool no_jac(Index n, Number *x, Bool fresh, Index m, Index nz, Index *row, Index *col, Number *v,
                   UserDataPtr data) {
  return TRUE;
}

/* Rosenbrock's function, chained */
static Bool rosen_f(Index n, Number *x, Bool fresh, Number *out, UserDataPtr data) {
  Number sum = 0;
  for (int i = 0; i + 1 < n; i++) {
    Number a = x[i + 1] - x[i] * x[i], b = 1 - x[i];
    sum += 100 * a * a + b * b;
  }
  *out = sum;
  return TRUE;
}
static Bool rosen_grad(Index n, Number *x, Bool fresh, Number *d, UserDataPtr data) {
  fill(d, n, 0);
  for (int i = 0; i + 1 < n; i++) {
    Number a = x[i + 1] - x[i] * x[i];
    d[i] += -400 * a * x[i] - 2 * (1 - x[i]);
    d[i + 1] += 200 * a;
  }
  return TRUE;
}
static Bool rosen_h(Index n, Number *x, Bool fresh, Number s, Index m, Number *y, Bool fresh_y, Index nz, Index *row,
                    Index *col, Number *v, UserDataPtr data) {
  if (!v) {
    for (int i = 0; i < n; i++) row[i] = col[i] = i;
    for (int i = 0; i + 1 < n; i++) row[n + i] = i + 1, col[n + i] = i;
    return TRUE;
  }
  fill(v, nz, 0);
  for (int i = 0; i + 1 < n; i++) {
    v[i] += s * (1200 * x[i] * x[i] - 400 * x[i + 1] + 2);
    v[i + 1] += s * 200;
    v[n + i] = -400 * s * x[i];
  }
  return TRUE;
}
static void rosen_bounds(Number *x, Number *xl, Number *xu, Number *gl, Number *gu) {
  for (int i = 0; i < rosen; i++) x[i] = i % 2 ? 1 : -1.2, xl[i] = -2e19, xu[i] = 2e19;
}

/* Hock-Schittkowski 35 */
static Bool h35_f(Index n, Number *x, Bool fresh, Number *out, UserDataPtr data) {
  *out = 9 - 8 * x[0] - 6 * x[1] - 4 * x[2] + 2 * x[0] * x[0] + 2 * x[1] * x[1] + x[2] * x[2] + 2 * x[0] * x[1] +
         2 * x[0] * x[2];
  return TRUE;
}
static Bool h35_grad(Index n, Number *x, Bool fresh, Number *d, UserDataPtr data) {
  d[0] = -8 + 4 * x[0] + 2 * x[1] + 2 * x[2];
  d[1] = -6 + 4 * x[1] + 2 * x[0];
  d[2] = -4 + 2 * x[2] + 2 * x[0];
  return TRUE;
}
static Bool h35_g(Index n, Number *x, Bool fresh, Index m, Number *g, UserDataPtr data) {
  g[0] = x[0] + x[1] + 2 * x[2];
  return TRUE;
}
static Bool h35_jac(Index n, Number *x, Bool fresh, Index m, Index nz, Index *row, Index *col, Number *v,
                    UserDataPtr data) {
  for (int j = 0; j < 3; j++) {
    if (v) v[j] = j == 2 ? 2 : 1;
    else row[j] = 0, col[j] = j;
  }
  return TRUE;
}
static Bool h35_h(Index n, Number *x, Bool fresh, Number s, Index m, Number *y, Bool fresh_y, Index nz, Index *row,
                  Index *col, Number *v, UserDataPtr data) {
  static const int r[] = {0, 1, 1, 2, 2}, c[] = {0, 0, 1, 0, 2};
  static const Number value[] = {4, 2, 4, 2, 2};
  for (int k = 0; k < 5; k++) {
    if (v) v[k] = s * value[k];
    else row[k] = r[k], col[k] = c[k];
  }
  return TRUE;
}
static void h35_bounds(Number *x, Number *xl, Number *xu, Number *gl, Number *gu) {
  fill(x, 3, 0.5), fill(xl, 3, 0), fill(xu, 3, 2e19);
  gl[0] = -2e19, gu[0] = 3;
}

/* Hock-Schittkowski 43 */
static Bool h43_f(Index n, Number *x, Bool fresh, Number *out, UserDataPtr data) {
  *out = x[0] * x[0] + x[1] * x[1] + 2 * x[2] * x[2] + x[3] * x[3] - 5 * x[0] - 5 * x[1] - 21 * x[2] + 7 * x[3];
  return TRUE;
}
static Bool h43_grad(Index n, Number *x, Bool fresh, Number *d, UserDataPtr data) {
  d[0] = 2 * x[0] - 5, d[1] = 2 * x[1] - 5, d[2] = 4 * x[2] - 21, d[3] = 2 * x[3] + 7;
  return TRUE;
}
static Bool h43_g(Index n, Number *x, Bool fresh, Index m, Number *g, UserDataPtr data) {
  Number a = x[0] * x[0], b = x[1] * x[1], c = x[2] * x[2], d = x[3] * x[3];
  g[0] = a + b + c + d + x[0] - x[1] + x[2] - x[3];
  g[1] = a + 2 * b + c + 2 * d - x[0] - x[3];
  g[2] = 2 * a + b + c + 2 * x[0] - x[1] - x[3];
  return TRUE;
}
static Bool h43_jac(Index n, Number *x, Bool fresh, Index m, Index nz, Index *row, Index *col, Number *v,
                    UserDataPtr data) {
  if (!v) {
    for (int k = 0; k < 12; k++) row[k] = k / 4, col[k] = k % 4;
    return TRUE;
  }
  v[0] = 2 * x[0] + 1, v[1] = 2 * x[1] - 1, v[2] = 2 * x[2] + 1, v[3] = 2 * x[3] - 1;
  v[4] = 2 * x[0] - 1, v[5] = 4 * x[1], v[6] = 2 * x[2], v[7] = 4 * x[3] - 1;
  v[8] = 4 * x[0] + 2, v[9] = 2 * x[1] - 1, v[10] = 2 * x[2], v[11] = -1;
  return TRUE;
}
static Bool h43_h(Index n, Number *x, Bool fresh, Number s, Index m, Number *y, Bool fresh_y, Index nz, Index *row,
                  Index *col, Number *v, UserDataPtr data) {
  if (!v) {
    for (int k = 0; k < 4; k++) row[k] = col[k] = k;
    return TRUE;
  }
  v[0] = 2 * s + 2 * y[0] + 2 * y[1] + 4 * y[2];
  v[1] = 2 * s + 2 * y[0] + 4 * y[1] + 2 * y[2];
  v[2] = 4 * s + 2 * y[0] + 2 * y[1] + 2 * y[2];
  v[3] = 2 * s + 2 * y[0] + 4 * y[1];
  return TRUE;
}
static void h43_bounds(Number *x, Number *xl, Number *xu, Number *gl, Number *gu) {
  fill(x, 4, 0), fill(xl, 4, -2e19), fill(xu, 4, 2e19), fill(gl, 3, -2e19);
  gu[0] = 8, gu[1] = 10, gu[2] = 5;
}

/* Hock-Schittkowski 71 */
static Bool h71_f(Index n, Number *x, Bool fresh, Number *out, UserDataPtr data) {
  *out = x[0] * x[3] * (x[0] + x[1] + x[2]) + x[2];
  return TRUE;
}
static Bool h71_grad(Index n, Number *x, Bool fresh, Number *d, UserDataPtr data) {
  d[0] = x[3] * (2 * x[0] + x[1] + x[2]);
  d[1] = x[0] * x[3];
  d[2] = x[0] * x[3] + 1;
  d[3] = x[0] * (x[0] + x[1] + x[2]);
  return TRUE;
}
static Bool h71_g(Index n, Number *x, Bool fresh, Index m, Number *g, UserDataPtr data) {
  g[0] = x[0] * x[1] * x[2] * x[3];
  g[1] = x[0] * x[0] + x[1] * x[1] + x[2] * x[2] + x[3] * x[3];
  return TRUE;
}
static Bool h71_jac(Index n, Number *x, Bool fresh, Index m, Index nz, Index *row, Index *col, Number *v,
                    UserDataPtr data) {
  if (!v) {
    for (int k = 0; k < 8; k++) row[k] = k / 4, col[k] = k % 4;
    return TRUE;
  }
  v[0] = x[1] * x[2] * x[3], v[1] = x[0] * x[2] * x[3], v[2] = x[0] * x[1] * x[3], v[3] = x[0] * x[1] * x[2];
  for (int k = 0; k < 4; k++) v[4 + k] = 2 * x[k];
  return TRUE;
}
static Bool h71_h(Index n, Number *x, Bool fresh, Number s, Index m, Number *y, Bool fresh_y, Index nz, Index *row,
                  Index *col, Number *v, UserDataPtr data) {
  if (!v) {
    int k = 0;
    for (int i = 0; i < 4; i++)
      for (int j = 0; j <= i; j++) row[k] = i, col[k++] = j;
    return TRUE;
  }
  v[0] = s * 2 * x[3] + 2 * y[1];
  v[1] = s * x[3] + y[0] * x[2] * x[3], v[2] = 2 * y[1];
  v[3] = s * x[3] + y[0] * x[1] * x[3], v[4] = y[0] * x[0] * x[3], v[5] = 2 * y[1];
  v[6] = s * (2 * x[0] + x[1] + x[2]) + y[0] * x[1] * x[2], v[7] = s * x[0] + y[0] * x[0] * x[2];
  v[8] = s * x[0] + y[0] * x[0] * x[1], v[9] = 2 * y[1];
  return TRUE;
}
static void h71_bounds(Number *x, Number *xl, Number *xu, Number *gl, Number *gu) {
  x[0] = x[3] = 1, x[1] = x[2] = 5;
  fill(xl, 4, 1), fill(xu, 4, 5);
  gl[0] = 25, gu[0] = 2e19, gl[1] = gu[1] = 40;
}

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
static void control_bounds(Number *x, Number *xl, Number *xu, Number *gl, Number *gu) {
  for (int k = 0; k < 2 * stages - 1; k++) {
    int is_state = k < stages - 1;
    x[k] = is_state ? 1 - (k + 1.0) / stages : 0;
    xl[k] = is_state ? -2e19 : -2;
    xu[k] = is_state ? 2e19 : 2;
  }
  fill(gl, stages, 0), fill(gu, stages, 0);
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

static void run(const Problem *p) {
  Number *block = calloc(5 * p->n + 5 * p->m + 8, sizeof(Number));
  Number *x0 = block, *xl = x0 + p->n, *xu = xl + p->n, *x = xu + p->n, *gl = x + p->n, *gu = gl + p->m;
  double *times = calloc(p->repeats, sizeof(double));
  Number objective = 0;
  int status = 0;
  p->bounds(x0, xl, xu, gl, gu);
  for (int k = 0; k < p->repeats; k++) {
    memcpy(x, x0, p->n * sizeof(Number));
    double start = now();
    IpoptProblem nlp = CreateIpoptProblem(p->n, xl, xu, p->m, gl, gu, p->jac, p->hess, 0, p->f, p->g, p->grad,
                                          p->jac_g, p->h);
    AddIpoptIntOption(nlp, "print_level", 0);
    AddIpoptStrOption(nlp, "sb", "yes");
    SetIntermediateCallback(nlp, count);
    status = IpoptSolve(nlp, x, NULL, &objective, NULL, NULL, NULL, NULL);
    FreeIpoptProblem(nlp);
    times[k] = now() - start;
  }
  qsort(times, p->repeats, sizeof(double), by_size);
  printf("%s %d %d %.12g %.1f\n", p->name, status, iterations, objective, times[p->repeats / 2]);
  free(block), free(times);
}

int main(void) {
  static const int sizes[] = {10, 30, 100};
  static const char *names[] = {"rosenbrock10", "rosenbrock30", "rosenbrock100"};
  const Problem fixed[] = {
      {"hs035", 3, 1, 3, 5, 51, h35_f, h35_grad, h35_g, h35_jac, h35_h, h35_bounds},
      {"hs043", 4, 3, 12, 4, 51, h43_f, h43_grad, h43_g, h43_jac, h43_h, h43_bounds},
      {"hs071", 4, 2, 8, 10, 51, h71_f, h71_grad, h71_g, h71_jac, h71_h, h71_bounds},
  };
  for (int k = 0; k < 3; k++) run(&fixed[k]);
  for (int k = 0; k < 3; k++) {
    int n = rosen = sizes[k];
    Problem p = {names[k], n, 0, 0, 2 * n - 1, 15, rosen_f, rosen_grad, no_g, no_jac, rosen_h, rosen_bounds};
    run(&p);
  }
  int n = 2 * stages - 1;
  Problem control = {"control16000", n,         stages,    3 * stages - 2, n,        5,
                     control_f,      control_grad, control_g, control_jac,    control_h, control_bounds};
  run(&control);
  return 0;
}
