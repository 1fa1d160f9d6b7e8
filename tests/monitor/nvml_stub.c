/* Stands for NVIDIA's libnvidia-ml.so.1: GPUs whose figures are known, as the environment asks for them.

   NVML_STUB_CALLS        a file to which each call adds its name
   NVML_STUB_COUNT        how many GPUs there are; 2 unless given
   NVML_STUB_ERRORS       "GetPowerUsage=3 GetName@1=4": what a function returns, of all devices or of one; the whole
                          name after nvmlDevice, or after nvml
   NVML_STUB_LOST_AFTER   GPU 1 is lost after so many answers to how much memory is in use
   NVML_STUB_MIG          set: GPU 0 is divided into parts, at the places 0 and 2
   NVML_STUB_NAMES        "A/B": what the GPUs are called
   NVML_STUB_PROCESSES    "C:123:512:30 G:124:-:0": those on GPU 0. C computes, G draws, B does both; number, MiB
                          (-: not told), percent (0: not busy of late)
   NVML_STUB_RUBBISH      set: the list of what processes use ends in two entries that mean nothing

   Written after the signatures that nvidia-ml-py calls. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SUCCESS = 0, NOT_SUPPORTED = 3, NOT_FOUND = 6, INSUFFICIENT_SIZE = 7, GPU_IS_LOST = 15 };
enum { MOST_DEVICES = 8, MOST_PROCESSES = 16 };
static const unsigned long long MIB = 1ull << 20;

typedef struct { int number, part; } Device; /* part: -1 for a whole one */
typedef struct { unsigned long long total, free, used; } Memory;
typedef struct { unsigned int gpu, memory; } Utilization;
typedef struct { unsigned int pid; unsigned long long used; unsigned int gpu_instance, compute_instance; } Process;
typedef struct { unsigned int pid; unsigned long long at_us; unsigned int sm, mem, enc, dec; } Sample;
typedef struct { char kind; unsigned int pid; unsigned long long used; unsigned int percent; } Entry;

static Device whole[MOST_DEVICES], parts[2] = {{0, 0}, {0, 2}};
static int n_answers_of_gpu_1;
static unsigned long long n_asked_for_energy;

static int number_of(const char *variable, int otherwise) {
  const char *text = getenv(variable);
  return text ? atoi(text) : otherwise;
}

/* Note the call, and return what it is to answer. */
static int asked(const char *function, const Device *device) {
  const char *path = getenv("NVML_STUB_CALLS"), *errors = getenv("NVML_STUB_ERRORS");
  if (path) {
    FILE *file = fopen(path, "a");
    fprintf(file, "%s\n", function);
    fclose(file);
  }
  if (device && device->number == 1 && getenv("NVML_STUB_LOST_AFTER")) {
    n_answers_of_gpu_1 += !strcmp(function, "GetMemoryInfo");
    if (n_answers_of_gpu_1 > number_of("NVML_STUB_LOST_AFTER", 0)) return GPU_IS_LOST;
  }
  char of_all[80], of_one[80];
  snprintf(of_all, sizeof of_all, " %s=", function);
  snprintf(of_one, sizeof of_one, " %s@%d=", function, device ? device->number : -1);
  char padded[1000];
  snprintf(padded, sizeof padded, " %s", errors ? errors : "");
  const char *found = strstr(padded, of_one);
  if (found) return atoi(found + strlen(of_one));
  found = strstr(padded, of_all);
  return found ? atoi(found + strlen(of_all)) : SUCCESS;
}

#define ASK(function, device)                  \
  do {                                         \
    int answer = asked(function, device);      \
    if (answer != SUCCESS) return answer;      \
  } while (0)
/* What NVML tells of whole devices only. */
#define ASK_WHOLE(function, device)            \
  do {                                         \
    ASK(function, device);                     \
    if (device->part >= 0) return NOT_SUPPORTED; \
  } while (0)

static int processes(Entry *entries) {
  int n = 0;
  char text[1000], *rest = text;
  snprintf(text, sizeof text, "%s", getenv("NVML_STUB_PROCESSES") ? getenv("NVML_STUB_PROCESSES") : "");
  for (char *word; n < MOST_PROCESSES && (word = strtok_r(rest, " ", &rest)); n++) {
    char mib[20];
    sscanf(word, "%c:%u:%19[^:]:%u", &entries[n].kind, &entries[n].pid, mib, &entries[n].percent);
    entries[n].used = *mib == '-' ? ~0ull : strtoull(mib, NULL, 10) * MIB;
  }
  return n;
}

static int list(const Device *device, char kind, unsigned int *count, Process *found) {
  Entry entries[MOST_PROCESSES];
  int n_entries = device->number == 0 ? processes(entries) : 0, n = 0;
  unsigned int room = *count;
  for (int i = 0; i < n_entries; i++) {
    if (entries[i].kind != kind && entries[i].kind != 'B') continue;
    if (found && n < (int)room) found[n] = (Process){entries[i].pid, entries[i].used, ~0u, ~0u};
    n++;
  }
  *count = n;
  return n > (int)room ? INSUFFICIENT_SIZE : SUCCESS;
}

int nvmlInitWithFlags(unsigned int flags) {
  for (int i = 0; i < MOST_DEVICES; i++) whole[i] = (Device){i, -1};
  (void)flags;
  ASK("Init", NULL);
  return SUCCESS;
}

int nvmlShutdown(void) { return asked("Shutdown", NULL); }

const char *nvmlErrorString(int error) { (void)error; return "an error of the stub's"; }

int nvmlDeviceGetCount_v2(unsigned int *count) {
  ASK("GetCount", NULL);
  *count = number_of("NVML_STUB_COUNT", 2);
  return SUCCESS;
}

int nvmlDeviceGetHandleByIndex_v2(unsigned int index, Device **device) {
  ASK("GetHandleByIndex", &whole[index]);
  *device = &whole[index];
  return SUCCESS;
}

int nvmlDeviceGetMaxMigDeviceCount(Device *device, unsigned int *count) {
  ASK("GetMaxMigDeviceCount", device);
  *count = 7 * (device->number == 0);
  return SUCCESS;
}

int nvmlDeviceGetMigDeviceHandleByIndex(Device *device, unsigned int index, Device **part) {
  ASK("GetMigDeviceHandleByIndex", device);
  if (!getenv("NVML_STUB_MIG") || (index != 0 && index != 2)) return NOT_FOUND;
  *part = &parts[index / 2];
  return SUCCESS;
}

int nvmlDeviceGetGpuInstanceId(Device *device, unsigned int *id) { *id = device->part + 1; return SUCCESS; }

int nvmlDeviceGetComputeInstanceId(Device *device, unsigned int *id) { (void)device; *id = 0; return SUCCESS; }

int nvmlDeviceGetUUID(Device *device, char *uuid, unsigned int length) {
  ASK("GetUUID", device);
  if (device->part < 0) snprintf(uuid, length, "GPU-%d0000000-aaaa-bbbb-cccc-dddddddddddd", device->number + 1);
  else snprintf(uuid, length, "MIG-%d0000000-aaaa-bbbb-cccc-dddddddddddd", device->part + 1);
  return SUCCESS;
}

int nvmlDeviceGetName(Device *device, char *name, unsigned int length) {
  ASK("GetName", device);
  const char *names = getenv("NVML_STUB_NAMES");
  for (int i = 0; names && i < device->number && strchr(names, '/'); i++) names = strchr(names, '/') + 1;
  snprintf(name, length, "%.*s", names ? (int)strcspn(names, "/") : 80, names ? names : "Stub GPU");
  return SUCCESS;
}

int nvmlDeviceGetMemoryInfo(Device *device, Memory *memory) {
  ASK("GetMemoryInfo", device);
  unsigned long long used = (device->part < 0 ? 1024 * (device->number + 1) : 256) * MIB;
  *memory = (Memory){8192 * MIB, 8192 * MIB - used, used};
  return SUCCESS;
}

int nvmlDeviceGetUtilizationRates(Device *device, Utilization *use) {
  ASK_WHOLE("GetUtilizationRates", device);
  *use = (Utilization){10 * (device->number + 1), 0};
  return SUCCESS;
}

int nvmlDeviceGetComputeRunningProcesses_v3(Device *device, unsigned int *count, Process *found) {
  ASK("GetComputeRunningProcesses", device);
  return list(device, 'C', count, found);
}

int nvmlDeviceGetGraphicsRunningProcesses_v3(Device *device, unsigned int *count, Process *found) {
  ASK("GetGraphicsRunningProcesses", device);
  return list(device, 'G', count, found);
}

int nvmlDeviceGetProcessUtilization(Device *device, Sample *samples, unsigned int *count, unsigned long long since_us) {
  ASK_WHOLE("GetProcessUtilization", device);
  if (!samples) {
    *count = 2 * MOST_PROCESSES + 2;
    return INSUFFICIENT_SIZE;
  }
  Entry entries[MOST_PROCESSES];
  int n_entries = device->number == 0 ? processes(entries) : 0, n = 0;
  for (int i = 0; i < n_entries; i++) {
    if (!entries[i].percent) continue;
    samples[n++] = (Sample){entries[i].pid, since_us + 2, entries[i].percent, 0, 0, 0};
    samples[n++] = (Sample){entries[i].pid, since_us + 1, 99, 0, 0, 0}; /* an older one of the same process */
  }
  if (!n) return NOT_FOUND;
  if (getenv("NVML_STUB_RUBBISH")) {
    samples[n++] = (Sample){0, since_us + 3, 50, 0, 0, 0};
    samples[n++] = (Sample){samples[0].pid, since_us + 3, 4000000000u, 0, 0, 0};
  }
  *count = n;
  return SUCCESS;
}

int nvmlDeviceGetPowerUsage(Device *device, unsigned int *milliwatts) {
  ASK_WHOLE("GetPowerUsage", device);
  *milliwatts = 100000 * (device->number + 1) + 500;
  return SUCCESS;
}

int nvmlDeviceGetTotalEnergyConsumption(Device *device, unsigned long long *millijoules) {
  ASK_WHOLE("GetTotalEnergyConsumption", device);
  *millijoules = 1000000000 + 2500 * n_asked_for_energy++;
  return SUCCESS;
}

int nvmlDeviceGetTemperature(Device *device, int sensor, unsigned int *celsius) {
  ASK_WHOLE("GetTemperature", device);
  *celsius = 40 + device->number + 50 * sensor;
  return SUCCESS;
}

int nvmlDeviceGetClockInfo(Device *device, int kind, unsigned int *mhz) {
  ASK_WHOLE("GetClockInfo", device);
  *mhz = kind == 1 ? 1410 : kind == 2 ? 1215 : 0;
  return SUCCESS;
}
