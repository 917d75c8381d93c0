/** How `immutrail run` is started so that it stays under 256 MiB: what the Dockerfile and the README say (a test compares). */

/** Options of Node. */
export const boundedHeap = ['--max-old-space-size=128', '--max-semi-space-size=8'] as const;

/**
 * Variables. glibc raises this threshold to the size of what was freed, up to 32 MiB: fetches of 2 MiB then come from its
 * heap, which is seldom given back. Named, it stays what it is at first, and what is larger goes back when it is freed.
 */
export const boundedMalloc = { MALLOC_MMAP_THRESHOLD_: '131072' } as const;
