import { spawn } from 'node:child_process';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { identifyProcess, isRunning, type ProcessIdentity, signalProcess } from './process-identity.ts';
import { forgetProcess, recordProcess } from './run-directory.ts';

/** One signal of an escalation and how long it may take to work. */
export interface StopStep {
  readonly signal: NodeJS.Signals;
  readonly waitMs: number;
}

export interface ProcessSpec {
  /** Unique in its stack: names the log and the pid file. */
  readonly name: string;
  readonly command: string;
  readonly args: readonly string[];
  readonly cwd?: string;
  readonly env?: Record<string, string>;
  /** The run directory of the stack. */
  readonly runDirectory: string;
  /** Numeric user and group to run as; needs root. */
  readonly runAs?: number | undefined;
  /** Ends with this process. False for services that are to run on in the background. */
  readonly endsWithParent: boolean;
  /** Gentle first; SIGKILL is always the last step. */
  readonly stopSteps: readonly StopStep[];
}

/** A service's process: started, watched, stopped by identity, never by name. */
export interface ServiceProcess {
  readonly name: string;
  readonly identity: ProcessIdentity;
  readonly logFile: string;
  isRunning(): boolean;
  /** False when the process is gone already. */
  signal(signal: NodeJS.Signals): boolean;
  stop(): Promise<void>;
}

const KILL: StopStep = { signal: 'SIGKILL', waitMs: 10_000 };

/** Starts a process in a session of its own, with its output appended to `<runDirectory>/<name>.log`. */
export function startProcess(spec: ProcessSpec): ServiceProcess {
  const logFile = join(spec.runDirectory, `${spec.name}.log`);
  const log = openSync(logFile, 'a');
  const [command, ...args] = commandLine(spec);
  const child = spawn(command, args, {
    cwd: spec.cwd ?? spec.runDirectory,
    env: { ...process.env, ...spec.env },
    // Its own process group: Ctrl-C is for us, and we end the services in order.
    detached: true,
    stdio: ['ignore', log, log],
  });
  closeSync(log);
  let startError: Error | undefined;
  child.once('error', (error) => {
    startError = error;
  });
  child.unref();
  if (child.pid === undefined) throw new Error(`could not start ${command} for ${spec.name}`, { cause: startError });
  const identity = identifyProcess(child.pid);
  if (identity === null) throw new Error(`${spec.name} ended at once${logTail(logFile)}`);
  recordProcess(spec.runDirectory, spec.name, identity);
  return {
    name: spec.name,
    identity,
    logFile,
    isRunning: () => isRunning(identity),
    signal: (signal) => signalProcess(identity, signal),
    async stop() {
      await endProcess(identity, spec.stopSteps);
      forgetProcess(spec.runDirectory, spec.name);
    },
  };
}

/** Signals the process, harder step by step, until it is gone. */
export async function endProcess(identity: ProcessIdentity, steps: readonly StopStep[]): Promise<void> {
  for (const step of [...steps, KILL]) {
    if (!signalProcess(identity, step.signal)) return;
    // One that was stopped with SIGSTOP hears nothing but SIGKILL.
    if (step.signal !== 'SIGKILL') signalProcess(identity, 'SIGCONT');
    const deadline = performance.now() + step.waitMs;
    while (performance.now() < deadline) {
      if (!isRunning(identity)) return;
      await sleep(20);
    }
  }
  throw new Error(`process ${identity.pid} did not end after SIGKILL`);
}

export interface ReadyOptions {
  readonly timeoutMs: number;
  readonly signal?: AbortSignal | undefined;
}

/** Looks until `probe` says true. A process that ends meanwhile, or the deadline, is an error with the end of its log. */
export async function waitUntilReady(
  running: ServiceProcess,
  probe: () => boolean | Promise<boolean>,
  options: ReadyOptions,
): Promise<void> {
  const deadline = performance.now() + options.timeoutMs;
  for (;;) {
    options.signal?.throwIfAborted();
    if (await probe()) return;
    if (!running.isRunning()) throw new Error(`${running.name} ended while starting${logTail(running.logFile)}`);
    if (performance.now() > deadline) {
      throw new Error(`${running.name} is not ready after ${options.timeoutMs / 1000} s${logTail(running.logFile)}`);
    }
    await sleep(50);
  }
}

function logTail(logFile: string): string {
  const lines = readFileSync(logFile, 'utf8').trimEnd().split('\n').slice(-20);
  return `; the end of ${logFile}:\n${lines.map((line) => `  ${line}`).join('\n')}`;
}

/**
 * setpriv(1) drops root, and on Linux has the kernel end the service should we be killed; elsewhere the next start finds what
 * is left. It execs the program, so the pid stays the same.
 */
function commandLine(spec: ProcessSpec): [string, ...string[]] {
  const flags = asUser(spec.runAs);
  // Changing the user clears the parent death signal, hence two steps.
  const bound = spec.endsWithParent && process.platform === 'linux' ? ['setpriv', '--pdeathsig', 'KILL', '--'] : [];
  return [...flags, ...bound, spec.command, ...spec.args] as [string, ...string[]];
}

/** What to put before a command so that it runs as this numeric user and group. */
export function asUser(id: number | undefined): string[] {
  return id === undefined ? [] : ['setpriv', `--reuid=${id}`, `--regid=${id}`, '--clear-groups', '--'];
}
