import { FORM_WORDS } from './row-entry.ts';
import { STATE_WORDS } from './topic-state.ts';

const MOST_PARTS = 4096;
const SMALLEST_BLOCK_BYTES = 4 * 1024;
const LARGEST_BLOCK_BYTES = 256 * 1024;
/** Of an entry that is compared: itself, its place in the groups and lists. */
const STATE_COST_BYTES = STATE_WORDS * 4 + 40;
const FORM_COST_BYTES = FORM_WORDS * 4 + 40;

/** Into how many parts keys are divided so that one of them can be compared in half of the memory. */
export interface Division {
  /** A power of two. */
  readonly parts: number;
  readonly blockBytes: number;
}

export function divide(records: number, rows: number, memoryBytes: number): Division {
  const bytes = records * STATE_COST_BYTES + rows * FORM_COST_BYTES;
  let parts = 1;
  while (parts < MOST_PARTS && bytes / parts > memoryBytes / 2) parts *= 2;
  // Two logs, a block for each part of both.
  const blockBytes = Math.floor(memoryBytes / 8 / (2 * parts));
  return { parts, blockBytes: Math.min(LARGEST_BLOCK_BYTES, Math.max(SMALLEST_BLOCK_BYTES, blockBytes)) };
}

/** The part of a key, by its hash. */
export function partOf(key: Int32Array, parts: number): number {
  return key[0]! & (parts - 1);
}
