import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import type { Application, VerifyOptions } from '../../../src/cli/application.ts';
import { runProgram } from '../../../src/cli/program.ts';
import { TransientError } from '../../../src/core/errors.ts';
import type { TableReport, VerifyReport } from '../../../src/verify/report.ts';
import { TextStream } from '../../support/text-stream.ts';
import { CONNECTORS, VALID } from '../config/parse-text.ts';

let directory = '';
let good = '';
before(() => {
  directory = mkdtempSync(join(tmpdir(), 'tailrace-cli-'));
  good = join(directory, 'good.yaml');
  writeFileSync(good, VALID);
});
after(() => rmSync(directory, { recursive: true }));

interface Run {
  readonly verify?: (options: VerifyOptions) => VerifyReport | Promise<VerifyReport>;
  readonly terminal?: boolean;
  readonly interrupted?: AbortSignal;
}

async function tailrace(args: readonly string[], { verify, terminal = false, interrupted }: Run = {}) {
  const stdout = Object.assign(new TextStream(), { isTTY: terminal });
  const stderr = Object.assign(new TextStream(), { isTTY: terminal });
  const application: Partial<Application> = {
    verifySource: async (_settings, source, options) => {
      assert.equal(source, 'shop');
      return (verify ?? (() => assert.fail('verifySource was called')))(options);
    },
  };
  const code = await runProgram(['verify', ...args, '-c', good], '1.2.3', {
    stdout,
    stderr,
    clock: { sleep: () => assert.fail('nothing is waited for') },
    env: {},
    connectors: CONNECTORS,
    loadApplication: async () => application as Application,
    interruption: () => interrupted ?? new AbortController().signal,
  });
  return { code, out: stdout.text, err: stderr.text };
}

function table(more: Partial<TableReport> = {}): TableReport {
  return {
    table: 'public.orders',
    topic: 'shop.public.orders',
    verdict: 'equal',
    reason: null,
    rows: 5,
    missing: [],
    extra: [],
    different: [],
    counts: { missing: 0, extra: 0, different: 0 },
    ignored_in_flight: 0,
    unavailable: 0,
    tolerated: 0,
    outside_filter: 0,
    damaged_records: 0,
    unpublishable: 0,
    unexamined: 0,
    ...more,
  };
}

function report(...tables: TableReport[]): VerifyReport {
  return { source: 'shop', equal: tables.every(({ verdict }) => verdict === 'equal'), tables };
}

const DIFFERENT = table({
  verdict: 'different',
  missing: [{ id: 1 }, { id: 2n ** 60n }],
  extra: [{ id: 'a\u001b[2J' }],
  counts: { missing: 2, extra: 12, different: 0 },
  ignored_in_flight: 3,
});

describe('verify', () => {
  it('ends with 0 where everything is equal, with 3 where it is not', async () => {
    const equal = await tailrace(['shop'], { verify: () => report(table()) });
    assert.deepEqual(equal, { code: 0, out: 'equal  public.orders  5 rows\n', err: '' });
    const different = await tailrace(['shop'], { verify: () => report(table(), DIFFERENT) });
    assert.equal(different.code, 3);
    assert.match(different.out, /^different +public\.orders +5 rows +2 missing; 12 extra; 3 changed at every look/m);
    assert.match(different.out, /missing from the topic: \{"id":1152921504606846976\}/);
    assert.match(different.out, /in the topic and not in the table: 11 more; --json lists a thousand/);
    assert.ok(!different.out.includes('\u001b'), 'a key must not reprogram the terminal');
    const incomplete = table({ verdict: 'incomplete', reason: 'partition 0 begins at offset 9' });
    const cut = await tailrace(['shop'], { verify: () => report(incomplete) });
    assert.equal(cut.code, 3);
    assert.match(cut.out, /^incomplete +public\.orders +5 rows +partition 0 begins at offset 9/m);
  });

  it('prints one object as JSON', async () => {
    const { code, out } = await tailrace(['shop', '--json'], { verify: () => report(DIFFERENT) });
    assert.equal(code, 3);
    const parsed = JSON.parse(out);
    assert.deepEqual(Object.keys(parsed), ['source', 'equal', 'tables']);
    assert.equal(parsed.equal, false);
    assert.match(out, /"id": 1152921504606846976/);
    for (const name of ['table', 'topic', 'rows', 'missing', 'extra', 'different', 'ignored_in_flight']) {
      assert.ok(Object.hasOwn(parsed.tables[0], name), name);
    }
  });

  it('passes on what was asked for', async () => {
    const asked: VerifyOptions[] = [];
    const note = (options: VerifyOptions) => {
      asked.push(options);
      return report(table());
    };
    await tailrace(['shop'], { verify: note });
    await tailrace(['shop', '--table', 'orders', '--tolerate', 'debezium', '--max-memory', '64MiB'], { verify: note });
    const [plain, special] = asked;
    assert.deepEqual([plain?.tables, plain?.tolerate, plain?.memoryBytes], [[], null, 256 * 2 ** 20]);
    assert.deepEqual([special?.tolerate, special?.memoryBytes], ['debezium', 64 * 2 ** 20]);
    assert.ok(special?.tables[0]?.test('any.orders'));
  });

  it('shows on a terminal how far it is, and nothing of it elsewhere', async () => {
    const verify = (options: VerifyOptions) => {
      options.progress({ table: 'public.orders', phase: 'reading the table', done: 50, total: 100 });
      options.notice('Waiting to read public.orders: locked.');
      return report(table());
    };
    const shown = await tailrace(['shop'], { verify, terminal: true });
    assert.match(shown.err, /public\.orders: reading the table █+░+ 50 % of 100/);
    assert.ok(shown.err.endsWith('Waiting to read public.orders: locked.\n'));
    assert.equal((await tailrace(['shop'], { verify })).err, 'Waiting to read public.orders: locked.\n');
  });

  it('that is interrupted has proven nothing', async () => {
    const interrupted = AbortSignal.abort();
    const verify = () => Promise.reject(interrupted.reason);
    const { code, out, err } = await tailrace(['shop', '--json'], { verify, interrupted });
    assert.deepEqual([code, out], [1, '']);
    assert.match(err, /Stopped before everything was compared/);
  });

  it('that fails says why', async () => {
    const error = new TransientError('the table was altered', { code: 'X', remedy: 'Verify again.' });
    const { code, err } = await tailrace(['shop'], { verify: () => Promise.reject(error) });
    assert.equal(code, 1);
    assert.equal(err, 'error: the table was altered\nVerify again.\n');
  });

  for (const [args, expected] of [
    [[], /missing required argument 'source'/],
    [['shp'], /no source named "shp"\nDid you mean shop\?/],
    [['shop', '--table', '('], /not a regular expression/],
    [['shop', '--tolerate', 'maxwell'], /Allowed choices are debezium/],
    [['shop', '--max-memory', '1MiB'], /at least 16MiB\nWrite --max-memory 256MiB/],
    [['shop', '--max-memory', 'much'], /--max-memory much/],
  ] as const) {
    it(`verify ${args.join(' ')} is wrong use`, async () => {
      const { code, out, err } = await tailrace(args);
      assert.deepEqual([code, out], [2, '']);
      assert.match(err, expected);
    });
  }
});
