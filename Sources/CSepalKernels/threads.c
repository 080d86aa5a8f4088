#include "sepal_threads.h"

#include <pthread.h>
#include <stdlib.h>

typedef struct {
  void (*body)(void *);
  void *argument;
} start;

static void *run(void *heap_start) {
  const start s = *(start *)heap_start;
  free(heap_start);
  s.body(s.argument);
  return NULL;
}

bool sepal_thread_start(uintptr_t *thread, void (*body)(void *), void *argument) {
  start *s = malloc(sizeof *s);
  if (!s) return false;
  *s = (start){body, argument};
  pthread_t handle;
  if (pthread_create(&handle, NULL, run, s) != 0) {
    free(s);
    return false;
  }
  *thread = (uintptr_t)handle;
  return true;
}

void sepal_thread_join(uintptr_t thread) { pthread_join((pthread_t)thread, NULL); }
