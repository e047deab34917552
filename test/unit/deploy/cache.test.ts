import assert from 'node:assert/strict';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, suite, test } from 'node:test';
import { cached, cacheRoot } from '../../../deploy/local/cache.ts';

suite('the download cache', () => {
  const callers = process.env.TAILRACE_CACHE;
  const silent = () => undefined;

  before(async () => {
    process.env.TAILRACE_CACHE = join(await mkdtemp(join(tmpdir(), 'tailrace-cache-')), 'not-there-yet');
  });

  after(async () => {
    await rm(join(cacheRoot(), '..'), { recursive: true });
    if (callers === undefined) delete process.env.TAILRACE_CACHE;
    else process.env.TAILRACE_CACHE = callers;
  });

  test('fills a directory once', async () => {
    let fills = 0;
    const fill = async (draft: string) => {
      fills++;
      await writeFile(join(draft, 'file'), 'content');
    };
    const first = await cached('thing-1', 'downloading', silent, fill);
    assert.equal(await cached('thing-1', 'downloading', silent, fill), first);
    assert.equal(fills, 1);
    assert.equal(await readFile(join(first, 'file'), 'utf8'), 'content');
  });

  test('a download that fails leaves nothing behind', async () => {
    const fill = async (draft: string) => {
      await writeFile(join(draft, 'half'), 'a');
      throw new Error('connection lost');
    };
    await assert.rejects(cached('thing-2', 'downloading', silent, fill), /connection lost/);
    const left = await readdir(cacheRoot());
    assert.deepEqual(
      left.filter((name) => name !== 'thing-1'),
      [],
    );
  });

  test('of two downloads at once one stays, whole', async () => {
    let waiting = 0;
    let go: () => void = () => undefined;
    const both = new Promise<void>((resolve) => {
      go = resolve;
    });
    const fill = async (draft: string) => {
      if (++waiting === 2) go();
      await both;
      await writeFile(join(draft, 'file'), 'content');
    };
    const get = () => cached('thing-3', 'downloading', silent, fill);
    const [one, other] = await Promise.all([get(), get()]);
    assert.equal(one, other);
    assert.deepEqual(await readdir(one), ['file']);
    assert.deepEqual(
      (await readdir(cacheRoot())).filter((name) => name.startsWith('.')),
      [],
    );
  });
});
