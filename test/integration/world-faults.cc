// A library that is loaded before libc and does to one process what disks and clocks do to programs:
// failing, full, slow, torn and rotten files, and a wall clock that jumps. It needs no root and
// changes nothing of the program under test. See world-faults.ts, which builds and steers it.
//
// The file named by GYRE_WORLD_FAULTS holds a rule a line and is read again at every call:
//
//   write log/segment ERROR 5     pwrite and write on paths that contain log/segment fail with errno 5
//   read  log/segment ERROR 5     pread and read on such paths fail with errno 5
//   sync  log/        DELAY 500   fsync and fdatasync take 500 ms longer
//   sync  log/        HANG 0      fsync and fdatasync come back when the rule is gone; write as well
//   write log/        TEAR 0      once: every other sector is written, then the process is killed
//   write log/        FLIP 0      once: one bit of what is written is another
//   clock -           SHIFT -3600000   the wall clock is an hour behind
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <dlfcn.h>
#include <fcntl.h>
#include <mutex>
#include <string>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <unistd.h>

namespace {

constexpr size_t kSector = 512;

struct Rule {
  char operation[16];
  char path[256];
  char action[16];
  long long argument;
};

// Rules are replaced as a whole, so that the inode of their file tells a new set.
std::mutex guard;
ino_t spent_rules = 0;

std::string read_rules(ino_t *inode) {
  const char *name = getenv("GYRE_WORLD_FAULTS");
  if (name == nullptr) return "";
  int file = static_cast<int>(syscall(SYS_openat, AT_FDCWD, name, O_RDONLY | O_CLOEXEC));
  if (file < 0) return "";
  struct stat status;
  if (fstat(file, &status) == 0) *inode = status.st_ino;
  char text[4096];
  long length = syscall(SYS_read, file, text, sizeof text);
  syscall(SYS_close, file);
  return length > 0 ? std::string(text, static_cast<size_t>(length)) : "";
}

bool find_rule(const char *operation, const char *path, Rule *found, ino_t *inode) {
  std::string rules = read_rules(inode);
  for (size_t from = 0; from < rules.size();) {
    size_t end = rules.find('\n', from);
    if (end == std::string::npos) end = rules.size();
    std::string line = rules.substr(from, end - from);
    from = end + 1;
    Rule rule;
    if (sscanf(line.c_str(), "%15s %255s %15s %lld", rule.operation, rule.path, rule.action,
               &rule.argument) != 4) continue;
    if (strcmp(rule.operation, operation) != 0) continue;
    if (path != nullptr && strstr(path, rule.path) == nullptr) continue;
    *found = rule;
    return true;
  }
  return false;
}

bool find_rule_of_file(const char *operation, int file, Rule *found, ino_t *inode) {
  char link[64];
  char path[1024];
  snprintf(link, sizeof link, "/proc/self/fd/%d", file);
  ssize_t length = readlink(link, path, sizeof path - 1);
  if (length <= 0 || path[0] != '/') return false;
  path[length] = '\0';
  return find_rule(operation, path, found, inode);
}

void sleep_ms(long long ms) {
  struct timespec left = {static_cast<time_t>(ms / 1000), static_cast<long>(ms % 1000) * 1000000};
  while (nanosleep(&left, &left) != 0 && errno == EINTR) continue;
}

// Comes back when no rule holds it any more.
void hang_while_told(const char *operation, int file) {
  Rule rule;
  ino_t inode = 0;
  while (find_rule_of_file(operation, file, &rule, &inode) && strcmp(rule.action, "HANG") == 0) {
    sleep_ms(20);
  }
}

// True for the first who asks under one set of rules.
bool take_once(ino_t inode) {
  std::lock_guard<std::mutex> hold(guard);
  if (spent_rules == inode) return false;
  spent_rules = inode;
  return true;
}

long raw_write(int file, const void *bytes, size_t count, off_t offset) {
  if (offset < 0) return syscall(SYS_write, file, bytes, count);
  return syscall(SYS_pwrite64, file, bytes, count, offset);
}

long write_with_faults(int file, const void *bytes, size_t count, off_t offset) {
  Rule rule;
  ino_t inode = 0;
  if (!find_rule_of_file("write", file, &rule, &inode)) {
    return raw_write(file, bytes, count, offset);
  }
  if (strcmp(rule.action, "ERROR") == 0) {
    errno = static_cast<int>(rule.argument);
    return -1;
  }
  if (strcmp(rule.action, "DELAY") == 0) sleep_ms(rule.argument);
  if (strcmp(rule.action, "HANG") == 0) hang_while_told("write", file);
  const char *from = static_cast<const char *>(bytes);
  if (strcmp(rule.action, "TEAR") == 0 && take_once(inode)) {
    for (size_t at = 0; at < count; at += 2 * kSector) {
      raw_write(file, from + at, count - at < kSector ? count - at : kSector, offset + at);
    }
    raise(SIGKILL);
  }
  if (strcmp(rule.action, "FLIP") == 0 && take_once(inode)) {
    std::string spoilt(from, count);
    spoilt[count > 300 ? 300 : count - 1] ^= 1;
    return raw_write(file, spoilt.data(), count, offset);
  }
  return raw_write(file, bytes, count, offset);
}

long read_with_faults(int file, void *bytes, size_t count, off_t offset) {
  Rule rule;
  ino_t inode = 0;
  if (find_rule_of_file("read", file, &rule, &inode) && strcmp(rule.action, "ERROR") == 0) {
    errno = static_cast<int>(rule.argument);
    return -1;
  }
  if (offset < 0) return syscall(SYS_read, file, bytes, count);
  return syscall(SYS_pread64, file, bytes, count, offset);
}

int sync_with_faults(int file, long call) {
  Rule rule;
  ino_t inode = 0;
  if (find_rule_of_file("sync", file, &rule, &inode)) {
    if (strcmp(rule.action, "DELAY") == 0) sleep_ms(rule.argument);
    if (strcmp(rule.action, "HANG") == 0) hang_while_told("sync", file);
    if (strcmp(rule.action, "ERROR") == 0) {
      errno = static_cast<int>(rule.argument);
      return -1;
    }
  }
  return static_cast<int>(syscall(call, file));
}

// Milliseconds by which the wall clock is wrong; looked up a hundred times a second at most.
long long clock_shift() {
  static std::mutex lock;
  static long long shift = 0;
  static long long looked_at = -1;
  struct timespec now;
  syscall(SYS_clock_gettime, CLOCK_MONOTONIC, &now);
  long long ms = now.tv_sec * 1000LL + now.tv_nsec / 1000000;
  std::lock_guard<std::mutex> hold(lock);
  if (looked_at >= 0 && ms - looked_at < 10) return shift;
  looked_at = ms;
  Rule rule;
  ino_t inode = 0;
  shift = find_rule("clock", nullptr, &rule, &inode) ? rule.argument : 0;
  return shift;
}

} // namespace

extern "C" {

ssize_t write(int file, const void *bytes, size_t count) {
  return write_with_faults(file, bytes, count, -1);
}

ssize_t pwrite(int file, const void *bytes, size_t count, off_t offset) {
  return write_with_faults(file, bytes, count, offset);
}

ssize_t pwrite64(int file, const void *bytes, size_t count, off64_t offset) {
  return write_with_faults(file, bytes, count, offset);
}

ssize_t read(int file, void *bytes, size_t count) {
  return read_with_faults(file, bytes, count, -1);
}

ssize_t pread(int file, void *bytes, size_t count, off_t offset) {
  return read_with_faults(file, bytes, count, offset);
}

ssize_t pread64(int file, void *bytes, size_t count, off64_t offset) {
  return read_with_faults(file, bytes, count, offset);
}

int fsync(int file) { return sync_with_faults(file, SYS_fsync); }

int fdatasync(int file) { return sync_with_faults(file, SYS_fdatasync); }

int clock_gettime(clockid_t clock, struct timespec *time) {
  int outcome = static_cast<int>(syscall(SYS_clock_gettime, clock, time));
  if (outcome != 0 || (clock != CLOCK_REALTIME && clock != CLOCK_REALTIME_COARSE)) return outcome;
  time->tv_sec += clock_shift() / 1000;
  return 0;
}

int gettimeofday(struct timeval *time, void *) {
  struct timespec now;
  clock_gettime(CLOCK_REALTIME, &now);
  time->tv_sec = now.tv_sec;
  time->tv_usec = now.tv_nsec / 1000;
  return 0;
}

} // extern "C"
