import { readFileSync } from 'node:fs';
import { basename, dirname, resolve } from 'node:path';
import { z } from 'zod';
import { checkSection } from './check-section.ts';
import { expand, type Surroundings } from './expand.ts';
import { fileContents, integer, text } from './fields.ts';
import { InvalidConfiguration, type LocatedProblem, type Problem, renderPath } from './problem.ts';
import { parseYaml } from './yaml-document.ts';

/** Where a daemon answers, as far as its configuration says. */
export interface DaemonAddress {
  readonly host: string;
  readonly port: number;
  /** PEM of its certificate; null: plain HTTP. */
  readonly cert: string | null;
  /** Names of the sources; empty where not all of them are told outright. */
  readonly sources: readonly string[];
}

const addressSchema = z.object({
  host: text({ kind: 'an address or host name' }).prefault('127.0.0.1'),
  port: integer({ min: 0, max: 65_535 }).prefault(8080),
  tls: z.object({ cert_file: fileContents() }).optional(),
});

/**
 * Reads what is needed to reach a daemon. Who operates one need not have the secrets that the rest of the file names.
 * @throws InvalidConfiguration where that part of the file cannot be read.
 */
export function loadAddress(path: string, env: Surroundings['env']): DaemonAddress {
  const file = basename(path);
  const directory = dirname(resolve(path));
  const document = parseYaml(readText(path, file));
  if (document.problems.length > 0) throw new InvalidConfiguration(file, document.problems);
  const written = (document.value ?? {}) as { http?: unknown; sources?: unknown };
  const { host, port, tls } = (written.http ?? {}) as Record<string, unknown>;
  const certFile = (tls as { cert_file?: unknown } | undefined)?.cert_file;
  const { value, problems } = expand({ host, port, certFile }, { env, directory });
  const expanded = value as { host: unknown; port: unknown; certFile: unknown };
  const isPath = typeof expanded.certFile === 'string' && expanded.certFile !== '';
  const section = {
    host: expanded.host,
    port: expanded.port,
    ...(certFile === undefined
      ? {}
      : { tls: { cert_file: isPath ? resolve(directory, expanded.certFile as string) : '' } }),
  };
  const found: Problem[] = problems.map((problem) => ({ ...problem, path: ['http', ...problem.path] }));
  const address = found.length > 0 ? undefined : checkSection(addressSchema, section, ['http'], found);
  if (address === undefined)
    throw new InvalidConfiguration(
      file,
      found.map((problem) => located(problem, document)),
    );
  const sources = Array.isArray(written.sources) ? written.sources : [];
  const names = sources.map((source) => (source as { name?: unknown } | null)?.name);
  return {
    host: address.host,
    port: address.port,
    cert: address.tls?.cert_file ?? null,
    sources: names.every((name) => typeof name === 'string' && !name.includes('$')) ? (names as string[]) : [],
  };
}

function readText(path: string, file: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    if (code === undefined) throw error;
    const remedy = 'Name a file that exists and can be read with -c, or the address of the daemon with --url.';
    throw new InvalidConfiguration(file, [{ path: '', line: null, message: `cannot be read (${code})`, remedy }]);
  }
}

function located(problem: Problem, document: ReturnType<typeof parseYaml>): LocatedProblem {
  const { path, message, remedy } = problem;
  return { path: renderPath(path), line: document.lineOf(path), message, remedy };
}
