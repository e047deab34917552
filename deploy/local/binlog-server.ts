import { existsSync, readFileSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { freePorts } from './free-ports.ts';
import { type ServiceProcess, startProcess, waitUntilReady } from './processes.ts';
import { runCommand } from './run-command.ts';
import type { Service, ServiceContext } from './service.ts';

export interface BinlogServerSpec {
  readonly name: string;
  /** The server program with what is in front of its options. */
  readonly command: readonly [string, ...string[]];
  /** Options of every start. */
  readonly options: readonly string[];
  /** Options that win over those, and over the settings of here. */
  readonly more: readonly string[];
  readonly env?: Record<string, string>;
  /** A data directory that was initialised; it is copied. */
  readonly template: string;
  readonly initSql: string;
}

/** Rows with all their metadata, on servers that have the setting: MySQL 8.0.1, MariaDB 10.5 and newer. */
export const FULL_METADATA = '--binlog-row-metadata=FULL';

/** Settings that all servers share: whole rows, and data that may be lost with the machine. */
const SETTINGS = [
  '--bind-address=127.0.0.1',
  '--log-bin=binlog',
  '--binlog-format=ROW',
  '--binlog-row-image=FULL',
  '--sync-binlog=0',
  '--innodb-flush-log-at-trx-commit=0',
  '--innodb-buffer-pool-size=64M',
  '--performance-schema=OFF',
  '--max-connections=200',
];

export const ACCOUNT = { user: 'cdc', password: 'cdcpass' } as const;

/** A server with its own copy of an initialised data directory. */
export async function startBinlogServer(spec: BinlogServerSpec, context: ServiceContext): Promise<Service> {
  const directory = join(context.runDirectory, spec.name);
  const data = join(directory, 'data');
  await mkdir(join(directory, 'tmp'), { recursive: true });
  await runCommand('cp', ['-a', spec.template, data], { timeoutMs: 60_000, signal: context.signal });
  const initFile = join(directory, 'init.sql');
  await writeFile(initFile, spec.initSql);
  const [port] = await freePorts(1);
  const [command, ...prefix] = spec.command;
  const log = join(directory, 'server.err');
  const pid = join(directory, 'pid');
  let running: ServiceProcess;
  const start = async () => {
    await writeFile(log, '');
    running = startProcess({
      name: spec.name,
      command,
      args: [
        ...prefix,
        ...spec.options,
        ...SETTINGS,
        `--datadir=${data}`,
        `--tmpdir=${join(directory, 'tmp')}`,
        // Sockets have short paths only; nobody uses this one.
        `--socket=${join(directory, 's')}`,
        `--port=${port}`,
        `--pid-file=${pid}`,
        `--log-error=${log}`,
        `--init-file=${initFile}`,
        ...spec.more,
      ],
      cwd: directory,
      ...(spec.env === undefined ? {} : { env: spec.env }),
      ...context,
      stopSteps: [{ signal: 'SIGTERM', waitMs: 10_000 }],
    });
    await waitUntilReady(running, () => existsSync(pid) && /ready for connections/.test(readFileSync(log, 'utf8')), {
      timeoutMs: 60_000,
      signal: context.signal,
    });
  };
  await start();
  return {
    name: spec.name,
    url: `mysql://${ACCOUNT.user}:${ACCOUNT.password}@127.0.0.1:${port}`,
    processes: () => [running],
    start,
    stop: () => running.stop(),
  };
}

/** Both servers refuse to run as root unless told to. */
export function asRoot(): readonly string[] {
  return process.getuid?.() === 0 ? ['--user=root'] : [];
}
