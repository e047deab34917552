/**
 * glibc takes a block beyond this from the kernel and gives it back when it is freed. Below, each block that is freed teaches
 * it to keep blocks of that size in its heap, where tens of megabytes then stay with the process.
 */
const ALWAYS_MAPPED_BYTES = 32 * 1024 * 1024 + 64 * 1024;
/** Smaller ones are no trouble, and may be many. */
const LARGE_BYTES = 4 * 1024 * 1024;

/**
 * Memory of its own with room for `bytes`, of arbitrary content. What is large gets a longer range of addresses than it asks
 * for: pages that nobody writes to take no memory, and the rest is the kernel's again as soon as the buffer is freed.
 */
export function allocateBuffer(bytes: number): Buffer {
  return Buffer.allocUnsafeSlow(bytes < LARGE_BYTES ? bytes : Math.max(bytes, ALWAYS_MAPPED_BYTES));
}
