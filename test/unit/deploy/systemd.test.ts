import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { CHECKOUT } from '../../../deploy/local/checkout.ts';
import { findProgram, runCommand } from '../../../deploy/local/run-command.ts';

const unit = readFileSync(join(CHECKOUT, 'deploy', 'systemd', 'tailrace.service'), 'utf8');
const PROGRAM = '/usr/local/bin/tailrace';
/** Of systemd's own scale from 0 to 10; what it calls OK. */
const MAX_EXPOSURE = 2;

/** All values of a directive, in order. */
function values(name: string): string[] {
  return [...unit.matchAll(new RegExp(`^${name}=(.*)$`, 'gm'))].map(([, value]) => value!);
}

test('the unit gives a stop the time that it may take', () => {
  const daemon = readFileSync(join(CHECKOUT, 'src', 'app', 'run-daemon.ts'), 'utf8');
  const loop = readFileSync(join(CHECKOUT, 'src', 'supervisor', 'attempt-loop.ts'), 'utf8');
  const stopMs = milliseconds(daemon, 'STOP_DEADLINE_MS') + milliseconds(loop, 'KILL_GRACE_MS');
  const seconds = Number(/^(\d+)s$/.exec(values('TimeoutStopSec')[0]!)?.[1]);
  assert.ok(seconds * 1000 > stopMs, `${seconds} s are more than ${stopMs} ms`);
  assert.deepEqual(values('KillSignal'), ['SIGTERM']);
});

test('the unit starts the daemon as nobody in particular, which a wrong configuration ends for good', () => {
  assert.deepEqual(values('ExecStart'), [`${PROGRAM} run -c /etc/tailrace/tailrace.yaml`]);
  assert.deepEqual(values('DynamicUser'), ['yes']);
  assert.deepEqual(values('Restart'), ['on-failure']);
  assert.deepEqual(values('RestartPreventExitStatus'), ['2']);
  assert.doesNotMatch(unit, /^MemoryDenyWriteExecute=yes/m, 'V8 could not compile');
});

test('systemd finds nothing wrong with the unit, and little that it could do to the machine', async (context) => {
  if ((await findProgram('systemd-analyze')) === null) {
    context.skip('there is no systemd on this machine');
    return;
  }
  const directory = mkdtempSync(join(tmpdir(), 'tailrace-unit-'));
  try {
    const path = join(directory, 'tailrace.service');
    // systemd wants to see the program.
    writeFileSync(path, unit.replace(PROGRAM, process.execPath));
    const limits = { timeoutMs: 60_000 };
    assert.equal(await runCommand('sh', ['-c', 'systemd-analyze verify --man=no "$0" 2>&1', path], limits), '');
    const report = await runCommand('systemd-analyze', ['security', '--offline=true', '--no-pager', path], limits);
    const exposure = Number(/Overall exposure level for tailrace\.service: ([\d.]+)/.exec(report)?.[1]);
    assert.ok(exposure <= MAX_EXPOSURE, `an exposure of ${exposure}`);
  } finally {
    rmSync(directory, { recursive: true });
  }
});

function milliseconds(source: string, constant: string): number {
  const written = new RegExp(`^const ${constant} = ([\\d_]+);$`, 'm').exec(source)?.[1];
  assert.ok(written !== undefined, constant);
  return Number(written.replaceAll('_', ''));
}
