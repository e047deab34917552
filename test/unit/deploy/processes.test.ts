import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, afterEach, before, suite, test } from 'node:test';
import { identifyProcess, isRunning, signalProcess } from '../../../deploy/local/process-identity.ts';
import { endProcess, startProcess, waitUntilReady } from '../../../deploy/local/processes.ts';
import {
  abandonedDirectories,
  createRunDirectory,
  readRecord,
  recordProcess,
  runningProcesses,
} from '../../../deploy/local/run-directory.ts';
import { endStack } from '../../../deploy/local/stack.ts';
import { awaitUntil } from '../../support/await-until.ts';

suite('processes of the local stack', () => {
  const directories: string[] = [];
  const children: ChildProcess[] = [];
  const newDirectory = () => {
    const directory = createRunDirectory(identifyProcess(process.pid));
    directories.push(directory);
    return directory;
  };
  const newChild = () => {
    const child = spawn('sleep', ['60'], { stdio: 'ignore' });
    children.push(child);
    return child;
  };
  const service = (name: string, script: string) =>
    startProcess({
      name,
      command: 'sh',
      args: ['-c', script],
      runDirectory: newDirectory(),
      endsWithParent: true,
      stopSteps: [{ signal: 'SIGTERM', waitMs: 200 }],
    });

  // Run directories of our own: a stack that someone starts now removes what is abandoned in the common place.
  const callersTmp = process.env.TMPDIR;
  before(() => {
    process.env.TMPDIR = mkdtempSync(join(tmpdir(), 'tailrace-processes-'));
  });
  after(() => {
    rmSync(tmpdir(), { recursive: true });
    if (callersTmp === undefined) delete process.env.TMPDIR;
    else process.env.TMPDIR = callersTmp;
  });

  afterEach(async () => {
    for (const child of children.splice(0)) child.kill('SIGKILL');
    for (const directory of directories.splice(0)) await endStack(directory);
  });

  test('a process is known by pid and start, a later one with its pid is another', () => {
    const self = identifyProcess(process.pid)!;
    assert.ok(isRunning(self));
    assert.ok(!isRunning({ ...self, startedAt: `${self.startedAt}1` }));
  });

  test('a foreign process that got a recorded pid is neither listed nor ended', async () => {
    const directory = newDirectory();
    const child = newChild();
    const foreign = { ...identifyProcess(child.pid!)!, startedAt: 'a process of yesterday' };
    recordProcess(directory, 'postgres-17', foreign);
    assert.equal(runningProcesses(directory).size, 0);
    assert.ok(!signalProcess(foreign, 'SIGKILL'));
    await endStack(directory);
    assert.ok(isRunning(identifyProcess(child.pid!)!));
    assert.ok(!existsSync(directory));
  });

  test('a process that ignores SIGTERM is killed', async () => {
    const running = service('stubborn', 'trap "" TERM; echo up; while :; do sleep 60; done');
    await waitUntilReady(running, () => readFileSync(running.logFile, 'utf8').includes('up'), { timeoutMs: 5_000 });
    await running.stop();
    assert.ok(!running.isRunning());
  });

  test('a process that was stopped with SIGSTOP can be ended', async () => {
    const running = service('frozen', 'exec sleep 60');
    running.signal('SIGSTOP');
    await running.stop();
    assert.ok(!running.isRunning());
  });

  test('a process that ends while starting is an error with the end of its log', async () => {
    const running = service('broken', 'sleep 0.1; echo no space left on device; exit 3');
    await assert.rejects(
      waitUntilReady(running, () => false, { timeoutMs: 5_000 }),
      /broken ended while starting; the end of .*broken\.log:\n {2}no space left on device/,
    );
  });

  test('a service that is not ready in time is an error', async () => {
    const running = service('slow', 'exec sleep 60');
    await assert.rejects(
      waitUntilReady(running, () => false, { timeoutMs: 100 }),
      /slow is not ready after 0.1 s/,
    );
  });

  test('a stack whose owner is gone is abandoned, that of a running owner is not', async () => {
    const child = newChild();
    const owner = identifyProcess(child.pid!)!;
    const directory = createRunDirectory(owner);
    directories.push(directory);
    assert.deepEqual(readRecord(directory), { owner });
    assert.ok(!abandonedDirectories().includes(directory));
    child.kill('SIGKILL');
    await once(child, 'exit');
    assert.ok(abandonedDirectories().includes(directory));
  });

  test('ending what is gone does nothing', async () => {
    const child = newChild();
    const identity = identifyProcess(child.pid!)!;
    child.kill('SIGKILL');
    await awaitUntil('the child is gone', () => !isRunning(identity));
    await endProcess(identity, []);
  });
});
