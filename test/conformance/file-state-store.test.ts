import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describeStateStore } from './state-store.ts';

describeStateStore('file', {
  module: new URL('./stores/file-state-store.ts', import.meta.url),
  async createLocation() {
    const location = await mkdtemp(join(tmpdir(), 'tailrace-state-'));
    return { location, remove: () => rm(location, { recursive: true }) };
  },
  secondOpen: 'refused',
  kills: 5,
});
