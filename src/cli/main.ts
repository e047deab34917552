#!/usr/bin/env node
import { readFileSync } from 'node:fs';
import { findPackageJSON } from 'node:module';
import { connectorRegistry } from '../connector-registry.ts';
import { boundHeap } from './bound-heap.ts';

boundHeap([...process.execArgv, process.env.NODE_OPTIONS ?? '']);
// Only now: what these import would have grown it.
const { EXIT } = await import('./exit-code.ts');
const { runProgram } = await import('./program.ts');
const { SystemClock } = await import('../observability/system-clock.ts');

const interrupted = new AbortController();
let stopsGracefully = false;

// `tailrace tail … | head` ends with head: nobody is left to read the data, which is not an error, and what the tail made
// on the server is to be removed. Messages without a reader are no reason to stop a daemon.
process.stdout.on(
  'error',
  ignoringClosedPipe(() => {
    if (stopsGracefully) interrupted.abort();
    else process.exit(EXIT.done);
  }),
);
process.stderr.on(
  'error',
  ignoringClosedPipe(() => {}),
);

const exitCode = await runProgram(process.argv.slice(2), packageVersion(), {
  stdout: process.stdout,
  stderr: process.stderr,
  clock: new SystemClock(),
  env: process.env,
  connectors: connectorRegistry,
  loadApplication: () => import('../app.ts'),
  interruption,
});
// What is written to a pipe is not out yet; what is still open (a connection that ends slowly) is not waited for.
await flushed(process.stdout);
await flushed(process.stderr);
process.exit(exitCode);

function ignoringClosedPipe(whenClosed: () => void): (error: NodeJS.ErrnoException) => void {
  return (error) => {
    if (error.code !== 'EPIPE') throw error;
    whenClosed();
  };
}

function interruption(): AbortSignal {
  stopsGracefully = true;
  // SIGHUP: the terminal was closed.
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.on(signal, () => {
      if (interrupted.signal.aborted) process.exit(EXIT.cutShort);
      interrupted.abort();
    });
  }
  return interrupted.signal;
}

function flushed(stream: NodeJS.WriteStream): Promise<void> {
  return new Promise((resolve) => {
    stream.write('', () => resolve());
  });
}

function packageVersion(): string {
  const file = findPackageJSON(import.meta.url);
  if (file === undefined) throw new Error('the package has no package.json');
  return (JSON.parse(readFileSync(file, 'utf8')) as { version: string }).version;
}
