import { existsSync } from 'node:fs';
import { chmod, mkdir, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { cached } from './cache.ts';
import type { Report } from './report.ts';
import { findProgram, runCommand } from './run-command.ts';

/** A package gives the folder that it is unpacked into its own date, and a draft of an old date is taken for abandoned. */
const TREE = 'tree';
const KEYRING = '/usr/share/keyrings/debian-archive-keyring.gpg';

/**
 * A tree with Debian packages and everything they need, the C library included, unpacked beside the system: nothing is
 * installed and no package's script runs. The mirror is the one that apt is configured with.
 *
 * @param suite of Debian: `sid`, `trixie`, …
 */
export async function debianPackages(
  suite: string,
  packages: readonly string[],
  what: string,
  report: Report,
  signal: AbortSignal,
): Promise<string> {
  const directory = await cached(`debian-${suite}-${packages.join('-')}`, `downloading ${what}`, report, (draft) =>
    download(suite, packages, draft, signal),
  );
  return join(directory, TREE);
}

async function download(suite: string, packages: readonly string[], draft: string, signal: AbortSignal): Promise<void> {
  const limits = { timeoutMs: 600_000, signal };
  if ((await findProgram('apt-get')) === null || (await findProgram('dpkg')) === null) {
    throw new Error(
      'this service is unpacked from Debian packages, and there is no apt here: set TEST_MYSQL_URL and TEST_MARIADB_URL to servers of your own',
    );
  }
  const state = join(draft, '.apt');
  for (const part of ['lists/partial', 'cache/archives/partial', 'etc/preferences.d', 'etc/apt.conf.d']) {
    await mkdir(join(state, part), { recursive: true });
  }
  await writeFile(join(state, 'status'), '');
  const architecture = (await runCommand('dpkg', ['--print-architecture'], limits)).trim();
  const mirror = await mirrorOf(limits);
  const line = `deb [signed-by=${KEYRING} arch=${architecture}] ${mirror} ${suite} main\n`;
  await writeFile(join(state, 'etc', 'sources.list'), line);
  const options = {
    'Dir::Etc': join(state, 'etc'),
    'Dir::Etc::sourcelist': join(state, 'etc', 'sources.list'),
    'Dir::Etc::sourceparts': '/dev/null',
    'Dir::Etc::preferencesparts': join(state, 'etc', 'preferences.d'),
    'Dir::State': state,
    'Dir::State::lists': join(state, 'lists'),
    'Dir::State::status': join(state, 'status'),
    'Dir::Cache': join(state, 'cache'),
    'Dir::Cache::archives': join(state, 'cache', 'archives'),
    'APT::Install-Recommends': 'false',
    'APT::Install-Suggests': 'false',
    'APT::Architecture': architecture,
    'Acquire::Languages': 'none',
    'Debug::NoLocking': '1',
    'APT::Sandbox::User': 'root',
  };
  const flags = Object.entries(options).flatMap(([name, value]) => ['-o', `${name}=${value}`]);
  await runCommand('apt-get', [...flags, '-qq', 'update'], limits);
  await runCommand('apt-get', [...flags, '-qq', '-y', '--download-only', 'install', ...packages], limits);
  const archives = join(state, 'cache', 'archives');
  const tree = join(draft, TREE);
  await mkdir(tree);
  for (const file of (await readdir(archives)).filter((name) => name.endsWith('.deb'))) {
    await runCommand('dpkg', ['-x', join(archives, file), tree], limits);
  }
  await chmod(tree, 0o755);
  await runCommand('rm', ['-rf', state], limits);
}

/** Where this machine's own packages come from. */
async function mirrorOf(limits: { timeoutMs: number; signal: AbortSignal }): Promise<string> {
  const targets = [
    'indextargets',
    '--format',
    '$(REPO_URI)',
    'Created-By: Packages',
    'Origin: Debian',
    'Component: main',
  ];
  const uris = (await runCommand('apt-get', targets, limits)).split('\n').filter((uri) => uri !== '');
  // Security updates are elsewhere, and have no other suites.
  const mirror = uris.find((uri) => !uri.includes('security'));
  if (mirror === undefined)
    throw new Error('apt knows no Debian mirror: run apt-get update, or set TEST_MYSQL_URL and TEST_MARIADB_URL');
  return mirror;
}

/** A program of such a tree: it needs the tree's own loader and libraries. */
export function foreignProgram(tree: string, path: string): readonly [string, ...string[]] {
  const machine = process.arch === 'arm64' ? 'aarch64' : 'x86_64';
  // Older suites have the C library outside of /usr.
  const folders = ['usr/lib', 'lib'].map((folder) => join(tree, folder, `${machine}-linux-gnu`));
  const name = process.arch === 'arm64' ? 'ld-linux-aarch64.so.1' : 'ld-linux-x86-64.so.2';
  const loader = folders.map((folder) => join(folder, name)).find(existsSync);
  if (loader === undefined) throw new Error(`${tree} has no loader ${name}: remove it, and it is made again`);
  return [loader, '--argv0', join(tree, path), '--library-path', folders.join(':'), join(tree, path)];
}
