import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { oversizedFiles } from '../../../deploy/file-size.ts';

test('finds source files of more than 500 lines, and only those', () => {
  const root = mkdtempSync(join(tmpdir(), 'tailrace-size-'));
  try {
    for (const directory of ['src/kafka', 'connectors', 'deploy', 'test']) {
      mkdirSync(join(root, directory), { recursive: true });
    }
    writeFileSync(join(root, 'src/kafka/most.ts'), '\n'.repeat(500));
    writeFileSync(join(root, 'src/kafka/long.ts'), '\n'.repeat(501));
    writeFileSync(join(root, 'deploy/longer.mjs'), '\n'.repeat(600));
    writeFileSync(join(root, 'test/table.ts'), '\n'.repeat(900));
    writeFileSync(join(root, 'src/page.html'), '\n'.repeat(900));
    assert.deepEqual(oversizedFiles(root), [
      { path: 'deploy/longer.mjs', lines: 600 },
      { path: 'src/kafka/long.ts', lines: 501 },
    ]);
  } finally {
    rmSync(root, { recursive: true });
  }
});
