import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import type { Application, NamedFinding } from '../../../src/cli/application.ts';
import type { LiveChange } from '../../../src/cli/change-line.ts';
import { runProgram } from '../../../src/cli/program.ts';
import { FatalError, ResyncRequiredError, TransientError } from '../../../src/core/errors.ts';
import { TextStream } from '../../support/text-stream.ts';
import { CONNECTORS, VALID } from '../config/parse-text.ts';

const UNUSED: Application = {
  runDaemon: () => assert.fail('runDaemon was called'),
  checkAll: () => assert.fail('checkAll was called'),
  showCheckpoint: () => assert.fail('showCheckpoint was called'),
  setCheckpoint: () => assert.fail('setCheckpoint was called'),
  exportCheckpoint: () => assert.fail('exportCheckpoint was called'),
  importCheckpoint: () => assert.fail('importCheckpoint was called'),
  teardown: () => assert.fail('teardown was called'),
  tailDatabase: () => assert.fail('tailDatabase was called'),
  tailTopic: () => assert.fail('tailTopic was called'),
  verifySource: () => assert.fail('verifySource was called'),
};

async function tailrace(args: readonly string[], application: Partial<Application> = {}, terminal = false) {
  const stdout = Object.assign(new TextStream(), { isTTY: terminal });
  const stderr = new TextStream();
  const code = await runProgram(args, '1.2.3', {
    stdout,
    stderr,
    clock: { sleep: () => assert.fail('nothing is waited for') },
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
let anyPort = '';
/** Words of a command line that stand for a file. */
const FILES: Readonly<Record<string, () => string>> = { GOOD: () => good, BAD: () => bad, ANYPORT: () => anyPort };
before(() => {
  directory = mkdtempSync(join(tmpdir(), 'tailrace-cli-'));
  good = join(directory, 'good.yaml');
  bad = join(directory, 'bad.yaml');
  anyPort = join(directory, 'any-port.yaml');
  writeFileSync(good, VALID);
  writeFileSync(anyPort, `${VALID}http: { port: 0 }\n`);
  writeFileSync(bad, VALID.replace('no_data', 'sometimes'));
});
after(() => rmSync(directory, { recursive: true }));

describe('wrong use ends with 2 and says what to write', () => {
  const CASES: [args: string[], err: RegExp][] = [
    [[], /Usage: tailrace/],
    [['-c', 'GOOD', 'status'], /unknown option '-c'\nUsage: tailrace <command> \[options\]/],
    [['help', 'snpshot'], /no command "snpshot"\nDid you mean snapshot\?/],
    [['help', 'snapshot', 'begin'], /no command "begin"\nCommands: start, status, pause, resume, stop\./],
    [['help', 'run', 'fast'], /no command "fast"\nCommands: none below/],
    [['import-debezium', 'c.json', '--offsets', 'o.json'], /not built yet\n.*debezium:.*checkpoint set/],
    [['rum'], /unknown command 'rum'\n\(Did you mean run\?\)[\s\S]*Usage: tailrace/],
    [['status'], /cannot be read \(ENOENT\).* -c, or .* --url/],
    [['status', 'shop', '--url', 'http://a:1'], /too many arguments/],
    [['status', '--url', 'a:1'], /--url http:\/\/127\.0\.0\.1:8080/],
    [['status', '--url', 'http://u:hunter2@a:1'], /without a user/],
    [['status', '--url', 'http://a:1/api'], /without a path/],
    [['status', '--url', 'http://a:1', '--token-file', 'absent'], /--token-file cannot be read \(ENOENT\)/],
    [['status', '--url', 'http://a:1', '--token-file', 'BAD'], /does not hold a token/],
    [['status', '--tokenfile', 'x'], /unknown option '--tokenfile'\n\(Did you mean --token-file\?\)/],
    [['status', '-c', 'ANYPORT'], /--url http:\/\/127\.0\.0\.1:PORT/],
    [['pause'], /missing required argument 'source'/],
    [['pause', 'shp', '-c', 'GOOD'], /no source named "shp"\nDid you mean shop\?/],
    [['resume', 'other', '-c', 'GOOD'], /no source named "other"\nSources: shop\./],
    [['resync', 'shop', '-c', 'GOOD'], /tailrace resync shop --confirm shop/],
    [['resync', 'shop', '--confirm', 'shp', '-c', 'GOOD'], /tailrace resync shop --confirm shop/],
    [['snapshot'], /Usage: tailrace snapshot/],
    [['snapshot', 'begin', 'shop'], /unknown command 'begin'/],
    [['snapshot', 'strat', 'shop'], /Did you mean (start|status)\?/],
    [['snapshot', 'start', '-c', 'GOOD'], /missing required argument 'source'/],
    [['snapshot', 'start', 'shp', '-c', 'GOOD'], /Did you mean shop\?/],
    [['snapshot', 'start', 'shop', '--table', '(', '-c', 'GOOD'], /not a regular expression/],
    [['snapshot', 'start', 'shop', '--table', '', '-c', 'GOOD'], /--table is empty\nWrite --table public\.orders/],
    [['snapshot', 'start', 'shop', '--where', ' ', '-c', 'GOOD'], /--where is empty\nWrite --where/],
    [['snapshot', 'stop', 'shop', '--table', 'a', '-c', 'GOOD'], /unknown option '--table'/],
    [['run', '--sorce', 'a'], /unknown option '--sorce'\n\(Did you mean --source\?\)/],
    [['run', 'extra'], /too many arguments/],
    [['run', '-c', 'GOOD', '--source', 'shp'], /no source named "shp"\nDid you mean shop\?/],
    [['check', '-c', 'GOOD', '--source', 'other'], /no source named "other"\nSources: shop\./],
    [
      ['run', '-c', 'BAD'],
      /bad\.yaml:7: sources\[0\]\.snapshot\.mode: has a value that is not known\. Set it to one of always, initial,/,
    ],
    [['run', '-c', 'absent.yaml'], /cannot be read \(ENOENT\).* -c\./],
    [['tail'], /nothing to tail\nWrite tailrace tail URL\|TOPIC/],
    [
      ['tail', '127.0.0.1:5432'],
      /neither the URL of a database nor a topic\nWrite postgres:\/\/user:password@127\.0\.0\.1:5432\/database/,
    ],
    [['tail', 'oracle://u:hunter2@h/d'], /postgres:\/\//],
    [['tail', 'postgres://h/d', '--table', '('], /not a regular expression/],
    [['verify'], /missing required argument 'source'/],
    [['verify', 'shp', '-c', 'GOOD'], /Did you mean shop\?/],
    [['verify', 'shop', '--table', '[', '-c', 'GOOD'], /not a regular expression/],
    [['verify', 'shop', '--tolerate', 'maxwell', '-c', 'GOOD'], /Allowed choices are debezium/],
    [['verify', 'shop', '--max-memory', '1MiB', '-c', 'GOOD'], /at least 16MiB\nWrite --max-memory 256MiB/],
    [['checkpoint'], /Usage: tailrace checkpoint/],
    [['checkpoint', 'show'], /missing required argument 'source'/],
    [['checkpoint', 'set', 'shop', '-c', 'GOOD'], /missing required argument 'position'/],
    [['checkpoint', 'set', 'shp', '0/1', '-c', 'GOOD'], /Did you mean shop\?/],
    [['checkpoint', 'export', 'x', '-c', 'GOOD'], /no source named "x"/],
    [['checkpoint', 'import', 'shop', '-c', 'GOOD'], /missing required argument 'file'/],
    [['checkpoint', 'import', 'shop', 'absent.json', '-c', 'GOOD'], /absent\.json cannot be used \(ENOENT\)/],
    [['checkpoint', 'show', '-c', 'GOOD', 'x'], /no source named "x"/],
    [['teardown', 'shop', '-c', 'GOOD'], /tailrace teardown shop --confirm shop/],
    [['teardown', 'shop', '--confirm', 'shp', '-c', 'GOOD'], /--confirm shop/],
    [['teardown', 'x', '--confirm', 'x', '-c', 'GOOD'], /no source named "x"/],
    [['config', 'show', '-c', '.'], /cannot be read \(EISDIR\).* -c\./],
    [['config', 'schema', '-c', 'GOOD'], /unknown option '-c'/],
    [['config', 'chek'], /Did you mean check\?/],
    [['config', 'check', '-c', 'BAD'], /not known/],
  ];
  for (const [args, err] of CASES) {
    it(`tailrace ${args.join(' ')}`, async () => {
      const result = await tailrace(args.map((arg) => FILES[arg]?.() ?? arg));
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

/** Every command and subcommand there is, as one writes them. */
const COMMANDS = [
  [],
  ...['run', 'check', 'status', 'pause', 'resume', 'resync', 'tail', 'verify', 'teardown', 'help'].map((name) => [
    name,
  ]),
  ...['start', 'status', 'pause', 'resume', 'stop'].map((name) => ['snapshot', name]),
  ...['show', 'set', 'export', 'import'].map((name) => ['checkpoint', name]),
  ...['schema', 'check', 'show'].map((name) => ['config', name]),
];

describe('--help', () => {
  for (const command of [...COMMANDS, ['snapshot'], ['checkpoint'], ['config']]) {
    it(`of tailrace ${command.join(' ')} says what it does and describes every argument and option`, async () => {
      const { code, out, err } = await tailrace([...command, '--help']);
      assert.deepEqual([code, err], [0, '']);
      assert.match(out, new RegExp(`^Usage: ${['tailrace', ...command].join(' ')} .*\n\n[A-Z][\\s\\S]+?\\.\n`));
      const described = /\n(?:Arguments|Options|Commands):\n([\s\S]*?)(?=\n\n|$)/g;
      for (const [, section = ''] of out.matchAll(described)) {
        // A description that does not fit beside its term goes on in the same column below it.
        for (const line of section.split('\n').filter((each) => /^ {2}\S/.test(each))) assert.match(line, /\S {2,}\S/);
      }
      for (const line of out.split('\n')) assert.ok(line.length <= 88, line);
      if (command[0] !== 'help') assert.equal((await tailrace(['help', ...command])).out, out);
    });
  }

  it('names every command that can be written, and no other', async () => {
    for (const group of ['', 'snapshot', 'checkpoint', 'config']) {
      const { out } = await tailrace([...group.split(' ').filter((word) => word !== ''), '--help']);
      const [, section = ''] = /\nCommands:\n([\s\S]*?)(?=\n\n|$)/.exec(out) ?? [];
      const named = section.split('\n').flatMap((line) => /^ {2}([a-z-]+)/.exec(line)?.[1] ?? []);
      const names =
        group === ''
          ? COMMANDS.map(([name]) => name)
          : COMMANDS.filter(([name]) => name === group).map(([, name]) => name);
      assert.deepEqual(new Set(named), new Set(names.filter((name) => name !== undefined)));
    }
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
    await tailrace(['run', '-c', good, '--source', 'shop', '--until-caught-up', '--json'], application);
    assert.deepEqual(asked, [
      [['shop'], { untilCaughtUp: false, json: false }],
      [['shop'], { sources: ['shop'], untilCaughtUp: true, json: true }],
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

describe('checkpoint set, export and import', () => {
  it('hand over what is written and say what was done', async () => {
    const file = join(directory, 'exported.json');
    const calls: unknown[] = [];
    const application: Partial<Application> = {
      setCheckpoint: async (_, source, position) => {
        calls.push([source, position]);
        return `${position},`;
      },
      exportCheckpoint: async () => 'the document\n',
      importCheckpoint: async (_, source, text, origin) => void calls.push([source, text, origin]),
    };
    const set = await tailrace(['checkpoint', 'set', 'shop', '0/1A', '-c', good], application);
    assert.deepEqual(set, { code: 0, out: '', err: 'shop goes on at 0/1A,.\n' });
    const printed = await tailrace(['checkpoint', 'export', 'shop', '-c', good], application);
    assert.deepEqual([printed.code, printed.out], [0, 'the document\n']);
    assert.equal((await tailrace(['checkpoint', 'export', 'shop', file, '-c', good], application)).out, '');
    assert.equal((await tailrace(['checkpoint', 'import', 'shop', file, '-c', good], application)).code, 0);
    assert.deepEqual(calls, [
      ['shop', '0/1A'],
      ['shop', 'the document\n', file],
    ]);
  });
  it('export says that there is nothing', async () => {
    const application = { exportCheckpoint: async () => null };
    const { code, out, err } = await tailrace(['checkpoint', 'export', 'shop', '-c', good], application);
    assert.deepEqual([code, out], [1, '']);
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
    const args = ['teardown', 'shop', '--confirm', 'shop', '-c', good, '--json'];
    const json = await tailrace(args, { teardown: async () => {} });
    assert.deepEqual(JSON.parse(json.out), { source: 'shop', dropped: true });
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
          message: 'has a value that is not known',
          remedy: 'Set it to one of always, initial, initial_only, no_data, never, when_needed.',
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
