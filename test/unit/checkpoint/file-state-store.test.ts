import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdir, mkdtemp, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { FileStateStore } from '../../../src/checkpoint/file-state-store.ts';
import { ConfigurationError, FatalError, OwnershipLostError } from '../../../src/core/errors.ts';

const never = new AbortController().signal;

describe('file state store', () => {
  let directory: string;

  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'tailrace-state-'));
  });
  afterEach(() => rm(directory, { recursive: true }));

  async function save(entries: Record<string, string>): Promise<void> {
    await using state = await new FileStateStore(directory).open('shop', never);
    await state.put(new Map(Object.entries(entries)), never);
  }

  it('keeps a source in one file that a person can read', async () => {
    await save({ checkpoint: '{"position":"0/1"}' });
    const document = JSON.parse(await readFile(join(directory, 'shop.json'), 'utf8'));
    assert.deepEqual(document.entries, { checkpoint: { position: '0/1' } });
    assert.deepEqual((await readdir(directory)).sort(), ['shop.json', 'shop.lock']);
  });

  it('never takes a damaged file for an empty one', async () => {
    await save({ checkpoint: '{"position":"0/1"}' });
    const path = join(directory, 'shop.json');
    const whole = await readFile(path);
    for (const damaged of [Buffer.alloc(0), whole.subarray(0, 100), Buffer.alloc(whole.length)]) {
      await writeFile(path, damaged);
      for (const attempt of [
        () => new FileStateStore(directory).open('shop', never),
        () => new FileStateStore(directory).peek('shop', never),
      ]) {
        await assert.rejects(attempt, (error) => error instanceof FatalError && error.message.includes(path));
      }
      assert.deepEqual(await readFile(path), damaged, 'the evidence is left alone');
    }
    await writeFile(path, whole);
    await using state = await new FileStateStore(directory).open('shop', never);
    assert.equal(state.entries.size, 1);
  });

  it('ignores and removes what a crash left of a save', async () => {
    await save({ a: '1' });
    await writeFile(join(directory, 'shop.json.tmp'), '{"half');
    await using state = await new FileStateStore(directory).open('shop', never);
    assert.deepEqual(Object.fromEntries(state.entries), { a: '1' });
    assert.ok(!(await readdir(directory)).includes('shop.json.tmp'));
  });

  it('refuses the file of another source under its name', async () => {
    await save({ a: '1' });
    await rename(join(directory, 'shop.json'), join(directory, 'other.json'));
    await assert.rejects(new FileStateStore(directory).open('other', never), { code: 'STATE_OF_ANOTHER_SOURCE' });
  });

  it('stops where its lock file was deleted', async () => {
    await using state = await new FileStateStore(directory).open('shop', never);
    await state.put(new Map([['a', '1']]), never);
    await rm(join(directory, 'shop.lock'));
    await assert.rejects(state.put(new Map([['a', '2']]), never), OwnershipLostError);
    await using newer = await new FileStateStore(directory).open('shop', never);
    assert.equal(newer.entries.get('a'), '1');
    await assert.rejects(state.put(new Map([['a', '3']]), never), OwnershipLostError);
  });

  it('says which path is wrong where the directory cannot be made', async () => {
    await writeFile(join(directory, 'file'), '');
    await assert.rejects(new FileStateStore(join(directory, 'file')).open('shop', never), (error) => {
      assert.ok(error instanceof ConfigurationError);
      assert.match(error.message, /\/file/);
      return true;
    });
    await mkdir(join(directory, 'shop.json'));
    await assert.rejects(new FileStateStore(directory).open('shop', never), ConfigurationError);
  });

  it('keeps the state before when there is no room for the next, and goes on when there is', {
    skip: process.platform === 'win32',
  }, async () => {
    // The kernel's limit on the size of a file stands for a full disk: the same write fails half-way.
    const script = `
      import { FileStateStore } from ${JSON.stringify(new URL('../../../src/checkpoint/file-state-store.ts', import.meta.url).href)};
      const signal = new AbortController().signal;
      const state = await new FileStateStore(${JSON.stringify(directory)}).open('shop', signal);
      const put = (text) => state.put(new Map([['a', text]]), signal).then(() => 'ok', (error) => error.errorClass + ' ' + error.code);
      const results = [await put('small'), await put('x'.repeat(100_000)), state.entries.get('a'), await put('small again')];
      process.stdout.write(JSON.stringify(results));`;
    const child = spawnSync(
      'bash',
      ['-c', 'ulimit -f 16; exec "$0" --input-type=module-typescript -e "$1"', process.execPath, script],
      { encoding: 'utf8' },
    );
    assert.equal(child.status, 0, child.stderr);
    assert.deepEqual(JSON.parse(child.stdout), ['ok', 'transient STATE_DISK_FULL', 'small', 'ok']);
    assert.ok(!(await readdir(directory)).includes('shop.json.tmp'));
    assert.equal((await new FileStateStore(directory).peek('shop', never))?.get('a'), 'small again');
  });
});
