import { FileStateStore } from '../../../src/checkpoint/file-state-store.ts';
import type { StateStore } from '../../../src/core/source-state.ts';

/** `location` is a directory. */
export function createStore(location: string): StateStore {
  return new FileStateStore(location);
}
