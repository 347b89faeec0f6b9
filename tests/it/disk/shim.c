/* A disk that can be watched, filled, broken and cut off: between a program and its libc.
 *
 * Loaded into the program by LD_PRELOAD. It looks at what is under one folder alone:
 *   DISK_FOLDER   the folder, by a path without links
 *   DISK_CONTROL  what `struct control` holds: read at every call, written by the test at any time
 *   DISK_JOURNAL  where everything that is done to the folder is written down, if it is set; and
 *                 what is answered through pipes and sockets, before it is sent
 *
 * A record: a kind (1 byte), the process (u32), a file's number (u64), an offset (u64), the length
 * of a name (u32) and of the data (u32), then both. Numbers as the machine has them.
 *
 * One lock is held around an operation and its record, so that the journal of several processes
 * has their order. 64-bit Linux with glibc.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

enum { CHANGES = 1, SYNCS = 2, READS = 4 };
enum { NOTHING, FAIL_ONCE, FAIL_FROM_HERE, STOP, KILL, WRITE_HALF };

struct control {
    _Atomic uint32_t countdown; /* acts at the call that takes it to nought */
    _Atomic uint32_t action;
    _Atomic int32_t error;
    _Atomic uint32_t which;
    _Atomic uint32_t seen; /* how many calls of these kinds there were */
    _Atomic int32_t clock; /* seconds by which the clock is wrong */
};

static struct control idle;
static struct control *control = &idle;
static char folder[PATH_MAX];
static size_t folder_length;
static int journal = -1;
static pthread_mutex_t threads = PTHREAD_MUTEX_INITIALIZER;

__attribute__((constructor)) static void begin(void) {
    const char *path = getenv("DISK_FOLDER");
    if (!path || strlen(path) >= sizeof folder) return;
    strcpy(folder, path);
    folder_length = strlen(folder);
    path = getenv("DISK_CONTROL");
    if (path) {
        int file = syscall(SYS_openat, AT_FDCWD, path, O_RDWR | O_CLOEXEC);
        void *page = (void *)syscall(SYS_mmap, 0, sizeof *control, PROT_READ | PROT_WRITE,
                                     MAP_SHARED, file, 0);
        if (page != MAP_FAILED) control = page;
        syscall(SYS_close, file);
    }
    path = getenv("DISK_JOURNAL");
    if (path) {
        int file = syscall(SYS_openat, AT_FDCWD, path, O_WRONLY | O_APPEND | O_CLOEXEC);
        /* Out of the way of a program that counts its descriptors. */
        journal = syscall(SYS_fcntl, file, F_DUPFD_CLOEXEC, 900);
        syscall(SYS_close, file);
    }
}

static int is_watched(const char *path) {
    return folder_length && !strncmp(path, folder, folder_length)
        && (path[folder_length] == '/' || !path[folder_length]);
}

/* The path of an open file, if it is one to look at. */
static int path_of(int file, char *path) {
    char link[32];
    snprintf(link, sizeof link, "/proc/self/fd/%d", file);
    ssize_t length = syscall(SYS_readlinkat, AT_FDCWD, link, path, PATH_MAX - 1);
    if (length < 0) return 0;
    path[length] = 0;
    return is_watched(path);
}

/* The whole path of a name, if it is one to look at. Its folder's links are followed. */
static int whole(int at, const char *name, char *path) {
    char above[PATH_MAX], real[PATH_MAX];
    const char *end = strrchr(name, '/');
    if (!folder_length) return 0;
    if (end) {
        size_t length = end == name ? 1 : (size_t)(end - name);
        if (length >= sizeof above) return 0;
        memcpy(above, name, length);
        above[length] = 0;
        end++;
    } else {
        strcpy(above, ".");
        end = name;
    }
    int held = syscall(SYS_openat, at, above, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (held < 0) return 0;
    int is = path_of(held, real);
    syscall(SYS_close, held);
    size_t length = strlen(real), more = strlen(end);
    if (!is || length + more + 2 > PATH_MAX) return 0;
    memcpy(path, real, length);
    path[length] = '/';
    memcpy(path + length + 1, end, more + 1);
    return 1;
}

static uint64_t number_of(int file) {
    struct stat found;
    return fstat(file, &found) ? 0 : found.st_ino;
}

static void lock(void) {
    if (journal < 0) return;
    pthread_mutex_lock(&threads);
    syscall(SYS_flock, journal, LOCK_EX);
}

static void unlock(void) {
    if (journal < 0) return;
    int kept = errno;
    syscall(SYS_flock, journal, LOCK_UN);
    pthread_mutex_unlock(&threads);
    errno = kept;
}

static void record(char kind, uint64_t number, uint64_t offset, const char *name, const void *data,
                   size_t length) {
    if (journal < 0) return;
    int kept = errno;
    uint32_t process = getpid(), name_length = name ? strlen(name) : 0, data_length = length;
    char head[29];
    head[0] = kind;
    memcpy(head + 1, &process, 4);
    memcpy(head + 5, &number, 8);
    memcpy(head + 13, &offset, 8);
    memcpy(head + 21, &name_length, 4);
    memcpy(head + 25, &data_length, 4);
    struct iovec parts[] = {{head, sizeof head}, {(void *)name, name_length}, {(void *)data, length}};
    syscall(SYS_writev, journal, parts, 3);
    errno = kept;
}

/* Whether this call is to fail. May end or stop the process. */
static int fails(uint32_t kind) {
    if (!(control->which & kind)) return 0;
    control->seen++;
    uint32_t left = control->countdown;
    while (left && !atomic_compare_exchange_weak(&control->countdown, &left, left - 1)) {}
    uint32_t action = control->action;
    if (left != 1) {
        if (left == 0 && action == FAIL_FROM_HERE) {
            errno = control->error;
            return 1;
        }
        return 0;
    }
    if (action == STOP) kill(getpid(), SIGSTOP);
    if (action == KILL) kill(getpid(), SIGKILL);
    if (action == FAIL_ONCE || action == FAIL_FROM_HERE) {
        errno = control->error;
        return 1;
    }
    return action == WRITE_HALF ? 2 : 0;
}

static int is_answer(int file) {
    struct stat found;
    return journal >= 0 && file != 2 && !fstat(file, &found)
        && (S_ISFIFO(found.st_mode) || S_ISSOCK(found.st_mode));
}

/* Files */

static int opened(int at, const char *name, int flags, mode_t mode) {
    char path[PATH_MAX];
    if (!(flags & (O_CREAT | O_TRUNC)) || !whole(at, name, path))
        return syscall(SYS_openat, at, name, flags, mode);
    struct stat found;
    int was_there = !fstatat(at, name, &found, AT_SYMLINK_NOFOLLOW);
    if (!was_there && fails(CHANGES)) return -1;
    lock();
    was_there = !fstatat(at, name, &found, AT_SYMLINK_NOFOLLOW);
    int file = syscall(SYS_openat, at, name, flags, mode);
    if (file >= 0 && !was_there) record('C', number_of(file), 0, path, 0, 0);
    else if (file >= 0 && flags & O_TRUNC) record('T', number_of(file), 0, path, 0, 0);
    unlock();
    return file;
}

#define OPEN(name, before, at)                                                    \
    int name(before const char *path, int flags, ...) {                           \
        mode_t mode = 0;                                                          \
        if (flags & (O_CREAT | __O_TMPFILE)) {                                    \
            va_list more;                                                         \
            va_start(more, flags);                                                \
            mode = va_arg(more, mode_t);                                          \
            va_end(more);                                                         \
        }                                                                         \
        return opened(at, path, flags, mode);                                     \
    }
#define ONE_MORE int at,
OPEN(open, , AT_FDCWD)
OPEN(open64, , AT_FDCWD)
OPEN(openat, ONE_MORE, at)
OPEN(openat64, ONE_MORE, at)

static ssize_t written(int file, const void *data, size_t length, off_t offset, int is_placed) {
    char path[PATH_MAX];
    if (is_answer(file)) {
        lock();
        record('A', file, 0, 0, data, length);
        unlock();
    } else if (file != 2 && path_of(file, path)) {
        int what = fails(CHANGES);
        if (what == 1) return -1;
        if (what == 2) length = (length + 1) / 2;
        lock();
        if (!is_placed) {
            int appends = syscall(SYS_fcntl, file, F_GETFL) & O_APPEND;
            offset = syscall(SYS_lseek, file, 0, appends ? SEEK_END : SEEK_CUR);
        }
        ssize_t done = is_placed ? syscall(SYS_pwrite64, file, data, length, offset)
                                 : syscall(SYS_write, file, data, length);
        if (done > 0) record('W', number_of(file), offset, path, data, done);
        unlock();
        return done;
    }
    return is_placed ? syscall(SYS_pwrite64, file, data, length, offset)
                     : syscall(SYS_write, file, data, length);
}

ssize_t write(int file, const void *data, size_t length) {
    return written(file, data, length, 0, 0);
}
ssize_t pwrite(int file, const void *data, size_t length, off_t offset) {
    return written(file, data, length, offset, 1);
}
ssize_t pwrite64(int file, const void *data, size_t length, off64_t offset) {
    return written(file, data, length, offset, 1);
}

ssize_t writev(int file, const struct iovec *parts, int count) {
    char path[PATH_MAX];
    if (is_answer(file)) {
        lock();
        for (int i = 0; i < count; i++) record('A', file, 0, 0, parts[i].iov_base, parts[i].iov_len);
        unlock();
    } else if (file != 2 && count && path_of(file, path)) {
        return written(file, parts[0].iov_base, parts[0].iov_len, 0, 0);
    }
    return syscall(SYS_writev, file, parts, count);
}

ssize_t send(int file, const void *data, size_t length, int flags) {
    if (is_answer(file)) {
        lock();
        record('A', file, 0, 0, data, length);
        unlock();
    }
    return syscall(SYS_sendto, file, data, length, flags, 0, 0);
}

static ssize_t got(int file, void *data, size_t length, off_t offset, int is_placed) {
    char path[PATH_MAX];
    if (control->which & READS && path_of(file, path) && fails(READS) == 1) return -1;
    return is_placed ? syscall(SYS_pread64, file, data, length, offset)
                     : syscall(SYS_read, file, data, length);
}
ssize_t read(int file, void *data, size_t length) { return got(file, data, length, 0, 0); }
ssize_t pread(int file, void *data, size_t length, off_t offset) {
    return got(file, data, length, offset, 1);
}
ssize_t pread64(int file, void *data, size_t length, off64_t offset) {
    return got(file, data, length, offset, 1);
}

static int cut(int file, off_t length) {
    char path[PATH_MAX];
    int is = path_of(file, path);
    if (is && fails(CHANGES) == 1) return -1;
    if (is) lock();
    int done = syscall(SYS_ftruncate, file, length);
    if (is && !done) record('T', number_of(file), length, path, 0, 0);
    if (is) unlock();
    return done;
}
int ftruncate(int file, off_t length) { return cut(file, length); }
int ftruncate64(int file, off64_t length) { return cut(file, length); }

static int synced(int file, int call) {
    char path[PATH_MAX];
    struct stat found;
    if (!path_of(file, path)) return syscall(call, file);
    int is_folder = !fstat(file, &found) && S_ISDIR(found.st_mode);
    int what = fails(SYNCS);
    lock();
    /* The real disk need not turn: what is kept is what the journal says. */
    record(what == 1 ? 'E' : is_folder ? 'F' : 'S', found.st_ino, 0, path, 0, 0);
    unlock();
    return what == 1 ? -1 : journal >= 0 ? 0 : syscall(call, file);
}
int fsync(int file) { return synced(file, SYS_fsync); }
int fdatasync(int file) { return synced(file, SYS_fdatasync); }

static void *mapped(void *where, size_t length, int access, int flags, int file, off_t offset) {
    char path[PATH_MAX];
    if (file >= 0 && access & PROT_WRITE && flags & MAP_SHARED && path_of(file, path)) {
        lock();
        record('M', number_of(file), offset, path, 0, 0);
        unlock();
    }
    return (void *)syscall(SYS_mmap, where, length, access, flags, file, offset);
}
void *mmap(void *where, size_t length, int access, int flags, int file, off_t offset) {
    return mapped(where, length, access, flags, file, offset);
}
void *mmap64(void *where, size_t length, int access, int flags, int file, off64_t offset) {
    return mapped(where, length, access, flags, file, offset);
}

/* Names */

static int moved(int from_at, const char *from, int to_at, const char *to, unsigned flags) {
    char old[PATH_MAX], new[PATH_MAX];
    int is = whole(from_at, from, old) && whole(to_at, to, new);
    if (is && fails(CHANGES) == 1) return -1;
    if (is) lock();
    int done = syscall(SYS_renameat2, from_at, from, to_at, to, flags);
    if (is && !done) record('R', 0, 0, old, new, strlen(new));
    if (is) unlock();
    return done;
}
int rename(const char *from, const char *to) { return moved(AT_FDCWD, from, AT_FDCWD, to, 0); }
int renameat(int from_at, const char *from, int to_at, const char *to) {
    return moved(from_at, from, to_at, to, 0);
}
int renameat2(int from_at, const char *from, int to_at, const char *to, unsigned flags) {
    return moved(from_at, from, to_at, to, flags);
}

int linkat(int from_at, const char *from, int to_at, const char *to, int flags) {
    char old[PATH_MAX], new[PATH_MAX];
    int is = whole(from_at, from, old) && whole(to_at, to, new);
    if (is && fails(CHANGES) == 1) return -1;
    if (is) lock();
    int done = syscall(SYS_linkat, from_at, from, to_at, to, flags);
    if (is && !done) record('L', 0, 0, old, new, strlen(new));
    if (is) unlock();
    return done;
}
int link(const char *from, const char *to) { return linkat(AT_FDCWD, from, AT_FDCWD, to, 0); }

int unlinkat(int at, const char *name, int flags) {
    char path[PATH_MAX];
    int is = whole(at, name, path);
    if (is && fails(CHANGES) == 1) return -1;
    if (is) lock();
    int done = syscall(SYS_unlinkat, at, name, flags);
    if (is && !done) record('U', 0, 0, path, 0, 0);
    if (is) unlock();
    return done;
}
int unlink(const char *name) { return unlinkat(AT_FDCWD, name, 0); }

int mkdirat(int at, const char *name, mode_t mode) {
    char path[PATH_MAX];
    int is = whole(at, name, path);
    if (is && fails(CHANGES) == 1) return -1;
    if (is) lock();
    int done = syscall(SYS_mkdirat, at, name, mode);
    if (is && !done) record('D', 0, 0, path, 0, 0);
    if (is) unlock();
    return done;
}
int mkdir(const char *name, mode_t mode) { return mkdirat(AT_FDCWD, name, mode); }

/* The clock */

int clock_gettime(clockid_t clock, struct timespec *time) {
    int done = syscall(SYS_clock_gettime, clock, time);
    if (!done && clock == CLOCK_REALTIME) time->tv_sec += control->clock;
    return done;
}
