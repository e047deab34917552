import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import { after, before, describe, it } from 'node:test';
import type { Application, NamedFinding } from '../../../src/cli/application.ts';
import type { LiveChange } from '../../../src/cli/change-line.ts';
import { runProgram } from '../../../src/cli/program.ts';
import { FatalError, ResyncRequiredError, TransientError } from '../../../src/core/errors.ts';
import { CONNECTORS, VALID } from '../config/parse-text.ts';

class Text extends Writable {
  text = '';
  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    this.text += chunk.toString();
    done();
  }
}

const UNUSED: Application = {
  runDaemon: () => assert.fail('runDaemon was called'),
  checkAll: () => assert.fail('checkAll was called'),
  showCheckpoint: () => assert.fail('showCheckpoint was called'),
  tailDatabase: () => assert.fail('tailDatabase was called'),
  tailTopic: () => assert.fail('tailTopic was called'),
  verifySource: () => assert.fail('verifySource was called'),
};

async function tailrace(args: readonly string[], application: Partial<Application> = {}, terminal = false) {
  const stdout = Object.assign(new Text(), { isTTY: terminal });
  const stderr = new Text();
  const code = await runProgram(args, '1.2.3', {
    stdout,
    stderr,
    env: {},
    connectors: CONNECTORS,
    loadApplication: async () => ({ ...UNUSED, ...application }),
    interruption: () => new AbortController().signal,
  });
  return { code, out: stdout.text, err: stderr.text };
}

let directory = '';
let good = '';
let bad = '';
before(() => {
  directory = mkdtempSync(join(tmpdir(), 'tailrace-cli-'));
  good = join(directory, 'good.yaml');
  bad = join(directory, 'bad.yaml');
  writeFileSync(good, VALID);
  writeFileSync(bad, VALID.replace('no_data', 'initial'));
});
after(() => rmSync(directory, { recursive: true }));

describe('wrong use ends with 2 and says what to write', () => {
  const CASES: [args: string[], err: RegExp][] = [
    [[], /Usage: tailrace/],
    [['rum'], /unknown command 'rum'\n\(Did you mean run\?\)[\s\S]*Usage: tailrace/],
    [['status'], /unknown command 'status'/],
    [['run', '--sorce', 'a'], /unknown option '--sorce'\n\(Did you mean --source\?\)/],
    [['run', 'extra'], /too many arguments/],
    [['run', '--until-caught-up', '-c', 'GOOD'], /--until-caught-up is not built yet/],
    [['run', '-c', 'GOOD', '--source', 'shp'], /no source named "shp"\nDid you mean shop\?/],
    [['check', '-c', 'GOOD', '--source', 'other'], /no source named "other"\nSources: shop\./],
    [
      ['run', '-c', 'BAD'],
      /bad\.yaml:7: sources\[0\]\.snapshot\.mode: snapshots are not built yet\. Set snapshot\.mode: no_data/,
    ],
    [['run', '-c', 'absent.yaml'], /cannot be read \(ENOENT\).* -c\./],
    [['tail'], /nothing to tail\nWrite tailrace tail URL\|TOPIC/],
    [['tail', 'oracle://u:hunter2@h/d'], /postgres:\/\//],
    [['tail', 'postgres://h/d', '--table', '('], /not a regular expression/],
    [['checkpoint'], /Usage: tailrace checkpoint/],
    [['checkpoint', 'show'], /missing required argument 'source'/],
    [['checkpoint', 'set', 'shop', '--position', '1'], /checkpoint set is not built yet/],
    [['checkpoint', 'export', 'shop'], /not built yet/],
    [['checkpoint', 'import', 'shop', 'file'], /not built yet/],
    [['checkpoint', 'show', '-c', 'GOOD', 'x'], /no source named "x"/],
    [['teardown', 'shop', '-c', 'GOOD'], /tailrace teardown shop --confirm shop/],
    [['teardown', 'shop', '--confirm', 'shp', '-c', 'GOOD'], /--confirm shop/],
    [['teardown', 'shop', '--confirm', 'shop', '-c', 'GOOD'], /not built yet/],
    [['config', 'chek'], /Did you mean check\?/],
    [['config', 'check', '-c', 'BAD'], /not built yet/],
  ];
  for (const [args, err] of CASES) {
    it(`tailrace ${args.join(' ')}`, async () => {
      const result = await tailrace(args.map((arg) => (arg === 'GOOD' ? good : arg === 'BAD' ? bad : arg)));
      assert.equal(result.code, 2);
      assert.match(result.err, err);
      assert.equal(result.out, '');
      assert.doesNotMatch(result.err, /hunter2|\n {4}at /);
    });
  }
});

describe('help and version', () => {
  it('are no failure, and on standard output', async () => {
    const help = await tailrace(['--help']);
    assert.deepEqual([help.code, help.err], [0, '']);
    assert.match(help.out, /Exit codes:[\s\S]*130/);
    assert.deepEqual(await tailrace(['--version']), { code: 0, out: '1.2.3\n', err: '' });
  });
});

describe('run', () => {
  it('ends as the daemon does', async () => {
    for (const code of [0, 1, 4, 130]) {
      const { code: ended } = await tailrace(['run', '-c', good], { runDaemon: async () => code });
      assert.equal(ended, code);
    }
  });
  it('runs every source, or those that are named', async () => {
    const asked: unknown[] = [];
    const application: Partial<Application> = {
      runDaemon: async (settings, options) => {
        asked.push([settings.sources.map((source) => source.name), options]);
        return 0;
      },
    };
    await tailrace(['run', '-c', good], application);
    await tailrace(['run', '-c', good, '--source', 'shop'], application);
    assert.deepEqual(asked, [
      [['shop'], { untilCaughtUp: false }],
      [['shop'], { sources: ['shop'], untilCaughtUp: false }],
    ]);
  });
  const FAILURES: [error: Error, code: number, err: RegExp][] = [
    [new TransientError('it broke', { code: 'X', remedy: 'Mend it.' }), 1, /^error: it broke\nMend it\.\n$/],
    [new FatalError('it broke', { code: 'X', remedy: 'Mend it.' }), 1, /^error: it broke\nMend it\.\n$/],
    [new ResyncRequiredError('gone', { code: 'X', remedy: 'Resync.' }), 4, /^error: gone\nResync\.\n$/],
    [new RangeError('a fault'), 1, /^unexpected error: RangeError: a fault\n {4}at /],
  ];
  for (const [error, code, err] of FAILURES) {
    it(`ends with ${code} after a ${error.name}`, async () => {
      const result = await tailrace(['run', '-c', good], { runDaemon: () => Promise.reject(error) });
      assert.equal(result.code, code);
      assert.match(result.err, err);
    });
  }
});

describe('check', () => {
  const findings: NamedFinding[] = [
    { subject: 'kafka', check: 'reachable', severity: 'ok', problem: 'three brokers', remedy: '' },
    {
      subject: 'shop',
      check: 'wal_level',
      severity: 'error',
      problem: 'wal_level is replica',
      remedy: 'Set it.\nRestart.',
    },
    { subject: 'shop', check: 'identity', severity: 'warning', problem: 'No key.', remedy: 'Add one.' },
  ];
  const checkAll = (found: readonly NamedFinding[]) => ({ checkAll: async () => found });

  it('prints one finding a line and ends with 3 where one is an error', async () => {
    const { code, out, err } = await tailrace(['check', '-c', good], checkAll(findings));
    assert.equal(code, 3);
    assert.equal(err, '');
    assert.deepEqual(out.split('\n'), [
      'ok       kafka  reachable  three brokers',
      'error    shop   wal_level  wal_level is replica. Set it. Restart.',
      'warning  shop   identity   No key. Add one.',
      '',
    ]);
  });
  it('ends with 0 where none is', async () => {
    assert.equal((await tailrace(['check', '-c', good], checkAll([findings[0]!, findings[2]!]))).code, 0);
    assert.equal((await tailrace(['check', '-c', good], checkAll([]))).code, 0);
  });
  it('prints JSON for programs', async () => {
    const { code, out } = await tailrace(['check', '-c', good, '--json'], checkAll(findings));
    assert.equal(code, 3);
    assert.deepEqual(JSON.parse(out), findings);
  });
  it('is coloured on a terminal only', async () => {
    const { out } = await tailrace(['check', '-c', good], checkAll(findings), true);
    assert.ok(out.includes('\u001b[31merror\u001b[0m    shop   wal_level'));
  });
});

describe('checkpoint show', () => {
  it('prints the checkpoint', async () => {
    const application = { showCheckpoint: async () => ({ position: '0/1A', formatVersion: 1, progress: null }) };
    const { code, out } = await tailrace(['checkpoint', 'show', 'shop', '-c', good], application);
    assert.equal(code, 0);
    assert.equal(out, 'position       0/1A\nformatVersion  1\nprogress       null\n');
    const json = await tailrace(['checkpoint', 'show', 'shop', '-c', good, '--json'], application);
    assert.deepEqual(JSON.parse(json.out), { position: '0/1A', formatVersion: 1, progress: null });
  });
  it('says that there is none', async () => {
    const application = { showCheckpoint: async () => null };
    const { code, out, err } = await tailrace(['checkpoint', 'show', 'shop', '-c', good], application);
    assert.deepEqual([code, out], [0, '']);
    assert.match(err, /no checkpoint/);
  });
});

describe('tail', () => {
  const change: LiveChange = {
    atMs: 0,
    op: 'c',
    table: 'public.a',
    key: { id: 1 },
    before: null,
    after: { id: 1, b: 2 },
  };

  it('of a database needs no configuration', async () => {
    let tables: readonly RegExp[] = [];
    const { code, out } = await tailrace(['tail', 'postgres://u@h/d', '--table', 'orders', 'public.items'], {
      tailDatabase: async (url, options, emit) => {
        assert.equal(url, 'postgres://u@h/d');
        tables = options.tables;
        emit(change);
      },
    });
    assert.equal(code, 0);
    assert.equal(out, '00:00:00.000 c public.a id=1 b=2\n');
    const matched = (name: string) => tables.some((pattern) => pattern.test(name));
    assert.ok(matched('public.orders') && matched('other.orders') && matched('public.items'));
    assert.ok(!matched('public.orders_old') && !matched('other.items'));
  });
  it('of a topic takes Kafka from the configuration', async () => {
    const { code, out } = await tailrace(['tail', 'shop.public.a', '-c', good, '--json'], {
      tailTopic: async (settings, topic, _options, emit) => {
        assert.deepEqual([settings.kafka.brokers, topic], [['127.0.0.1:9092'], 'shop.public.a']);
        emit(change);
      },
    });
    assert.equal(code, 0);
    assert.deepEqual(JSON.parse(out).after, { id: 1, b: 2 });
  });
});

describe('teardown', () => {
  it('goes ahead once confirmed', async () => {
    const torn: string[] = [];
    const { code, err } = await tailrace(['teardown', 'shop', '--confirm', 'shop', '-c', good], {
      teardown: async (_, name) => void torn.push(name),
    });
    assert.equal(code, 0);
    assert.deepEqual(torn, ['shop']);
    assert.match(err, /shop: slot and publication are dropped/);
  });
});

describe('config', () => {
  it('check names the sources', async () => {
    const { code, out } = await tailrace(['config', 'check', '-c', good]);
    assert.equal(code, 0);
    assert.match(out, /good\.yaml is valid; sources: shop/);
  });
  it('check gives problems as JSON', async () => {
    const { code, out, err } = await tailrace(['config', 'check', '-c', bad, '--json']);
    assert.deepEqual([code, err], [2, '']);
    assert.deepEqual(JSON.parse(out), {
      valid: false,
      problems: [
        {
          path: 'sources[0].snapshot.mode',
          line: 7,
          message: 'snapshots are not built yet',
          remedy: 'Set snapshot.mode: no_data.',
        },
      ],
    });
  });
  it('schema is JSON', async () => {
    const { code, out } = await tailrace(['config', 'schema']);
    assert.equal(code, 0);
    assert.equal(JSON.parse(out).title, 'tailrace.yaml');
  });
});
