/* Edge detection: four recursive filters of one image, along rows and columns,
 * both ways. In doubles, unlike the original. */
#include "polybench.h"

#include <math.h>

enum { W = PB(4096, 37), H = PB(2160, 29) };

static void init(double imgIn[W][H], double imgOut[W][H], double y1[W][H],
                 double y2[W][H]) {
  for (int i = 0; i < W; i++)
    for (int j = 0; j < H; j++)
      imgIn[i][j] = (313 * i + 991 * j) % 65536 / 65535.0;
}

PB_KERNEL run(double imgIn[restrict W][H], double imgOut[restrict W][H],
              double y1[restrict W][H], double y2[restrict W][H]) {
  const double alpha = 0.25;
  const double k = (1 - exp(-alpha)) * (1 - exp(-alpha)) /
                   (1 + 2 * alpha * exp(-alpha) - exp(2 * alpha));
  const double a1 = k, a2 = k * exp(-alpha) * (alpha - 1);
  const double a3 = k * exp(-alpha) * (alpha + 1), a4 = -k * exp(-2 * alpha);
  const double b1 = pow(2, -alpha), b2 = -exp(-2 * alpha);
  for (int i = 0; i < W; i++) {
    double before1 = 0, before2 = 0, x = 0;
    for (int j = 0; j < H; j++) {
      y1[i][j] = a1 * imgIn[i][j] + a2 * x + b1 * before1 + b2 * before2;
      x = imgIn[i][j];
      before2 = before1;
      before1 = y1[i][j];
    }
  }
  for (int i = 0; i < W; i++) {
    double before1 = 0, before2 = 0, x1 = 0, x2 = 0;
    for (int j = H - 1; j >= 0; j--) {
      y2[i][j] = a3 * x1 + a4 * x2 + b1 * before1 + b2 * before2;
      x2 = x1;
      x1 = imgIn[i][j];
      before2 = before1;
      before1 = y2[i][j];
    }
  }
  for (int i = 0; i < W; i++)
    for (int j = 0; j < H; j++)
      imgOut[i][j] = y1[i][j] + y2[i][j];
  for (int j = 0; j < H; j++) {
    double before1 = 0, before2 = 0, x = 0;
    for (int i = 0; i < W; i++) {
      y1[i][j] = a1 * imgOut[i][j] + a2 * x + b1 * before1 + b2 * before2;
      x = imgOut[i][j];
      before2 = before1;
      before1 = y1[i][j];
    }
  }
  for (int j = 0; j < H; j++) {
    double before1 = 0, before2 = 0, x1 = 0, x2 = 0;
    for (int i = W - 1; i >= 0; i--) {
      y2[i][j] = a3 * x1 + a4 * x2 + b1 * before1 + b2 * before2;
      x2 = x1;
      x1 = imgOut[i][j];
      before2 = before1;
      before1 = y2[i][j];
    }
  }
  for (int i = 0; i < W; i++)
    for (int j = 0; j < H; j++)
      imgOut[i][j] = y1[i][j] + y2[i][j];
}

PB_ENTRY(PB_4)
const pb_kernel pb_deriche = {"deriche",
                              {W, H},
                              {{"imgIn", 8, {W, H}},
                               {"imgOut", 8, {W, H}},
                               {"y1", 8, {W, H}},
                               {"y2", 8, {W, H}}},
                              init_all,
                              run_all,
                              0};
