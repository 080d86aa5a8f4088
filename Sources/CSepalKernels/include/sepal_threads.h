// What the runtime's thread pool needs of the machine: sequentially consistent words (Swift's own need macOS 15),
// a pause, and threads under one signature on every system.
#pragma once

#include <sched.h>
#include <stdbool.h>
#include <stdint.h>

#pragma clang assume_nonnull begin

static inline uint32_t sepal_word_load(const uint32_t *word) { return __atomic_load_n(word, __ATOMIC_SEQ_CST); }

static inline void sepal_word_store(uint32_t *word, uint32_t value) {
  __atomic_store_n(word, value, __ATOMIC_SEQ_CST);
}

// Returns the new value; pass UINT32_MAX to subtract one.
static inline uint32_t sepal_word_add(uint32_t *word, uint32_t value) {
  return __atomic_add_fetch(word, value, __ATOMIC_SEQ_CST);
}

// Waits a little while `word` is `value`: first in place, then giving the processor away. Returns whether it changed.
static inline bool sepal_word_wait(const uint32_t *word, uint32_t value, uint32_t spins, uint32_t yields) {
  for (uint32_t i = 0; i < spins; i++) {
    if (sepal_word_load(word) != value) return 1;
#if defined(__x86_64__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    __asm__ volatile("yield");
#endif
  }
  for (uint32_t i = 0; i < yields; i++) {
    if (sepal_word_load(word) != value) return 1;
    sched_yield();
  }
  return sepal_word_load(word) != value;
}

// Runs `body(argument)` on a new thread, to be joined once. Returns whether it was started.
bool sepal_thread_start(uintptr_t *thread, void (*body)(void *), void *argument);
void sepal_thread_join(uintptr_t thread);

#pragma clang assume_nonnull end
