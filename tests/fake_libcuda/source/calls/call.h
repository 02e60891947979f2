// A function of the driver, as those that call it find it.
#pragma once

#include "../kernels.h"

#define API extern "C" __attribute__((visibility("default"))) CUresult
