import { readFileSync } from 'node:fs';
import { basename, dirname, resolve } from 'node:path';
import type { Settings, SourceSettings } from '../core/settings.ts';
import { checkSection, unknownSetting } from './check-section.ts';
import { sections } from './configuration.ts';
import { duplicates } from './duplicates.ts';
import { expand, type Surroundings } from './expand.ts';
import { InvalidConfiguration, type Path, type Problem, renderPath } from './problem.ts';
import { type ConnectorCatalogue, readSource } from './read-source.ts';
import { parseYaml } from './yaml-document.ts';

/**
 * Reads and resolves a configuration file: variables expanded, defaults filled in, certificates read.
 *
 * @throws InvalidConfiguration with every problem at once.
 */
export async function loadSettings(
  path: string,
  env: Surroundings['env'],
  connectors: ConnectorCatalogue,
): Promise<Settings> {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    if (code === undefined) throw error;
    const remedy = 'Name a file that exists and can be read, with -c.';
    throw new InvalidConfiguration(path, [{ path: '', line: null, message: `cannot be read (${code})`, remedy }]);
  }
  return parseSettings(text, { file: basename(path), directory: dirname(resolve(path)), env }, connectors);
}

/** As `loadSettings`, of text that is already there. File names in it start from `directory`. */
export async function parseSettings(
  text: string,
  around: Surroundings & { readonly file: string },
  connectors: ConnectorCatalogue,
): Promise<Settings> {
  const document = parseYaml(text);
  if (document.problems.length > 0) throw new InvalidConfiguration(around.file, document.problems);
  const expanded = expand(document.value ?? {}, around);
  const { settings, problems } = await readDocument(
    absolutePaths(expanded.value, around.directory),
    connectors,
    expanded.problems,
  );
  const all = [...expanded.problems, ...withoutConsequences(problems, expanded.problems)];
  if (all.length > 0 || settings === undefined) {
    const located = all.map((problem) => ({
      path: renderPath(problem.path),
      line: document.lineOf(problem.path),
      message: problem.message,
      remedy: problem.remedy,
    }));
    throw new InvalidConfiguration(
      around.file,
      located.sort((a, b) => (a.line ?? 0) - (b.line ?? 0)),
    );
  }
  return settings;
}

async function readDocument(
  value: unknown,
  connectors: ConnectorCatalogue,
  unresolved: readonly Problem[],
): Promise<{ settings: Settings | undefined; problems: Problem[] }> {
  const problems: Problem[] = [];
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    const remedy = 'Write sections such as kafka: and sources: at its top.';
    return { settings: undefined, problems: [{ path: [], message: 'is not a configuration', remedy }] };
  }
  const written = value as Record<string, unknown>;
  const known = [...Object.keys(sections), 'sources'];
  for (const name of Object.keys(written)) {
    if (!known.includes(name)) problems.push(unknownSetting([name], known));
  }
  const kafka = checkSection(sections.kafka, written.kafka, ['kafka'], problems);
  const schemaRegistry = checkSection(sections.schema_registry, written.schema_registry, ['schema_registry'], problems);
  const checkpoint = checkSection(sections.checkpoint, written.checkpoint, ['checkpoint'], problems);
  checkSection(sections.delivery, written.delivery, ['delivery'], problems);
  const http = checkSection(sections.http, written.http, ['http'], problems);
  const log = checkSection(sections.log, written.log, ['log'], problems);
  const sources = await readSources(written.sources, connectors, unresolved, problems);
  if (!kafka || !schemaRegistry || !checkpoint || !http || !log) return { settings: undefined, problems };
  return { settings: { kafka, schemaRegistry, checkpoint, http, log, sources }, problems };
}

async function readSources(
  written: unknown,
  connectors: ConnectorCatalogue,
  unresolved: readonly Problem[],
  problems: Problem[],
): Promise<SourceSettings[]> {
  if (!Array.isArray(written) || written.length === 0) {
    const message = written === undefined ? 'is required' : 'is not a list of sources';
    problems.push({ path: ['sources'], message, remedy: 'Write at least one source, starting with `- name:`.' });
    return [];
  }
  const sources: SourceSettings[] = [];
  for (const [index, item] of written.entries()) {
    const path = ['sources', index];
    // With a variable missing, a connector would complain about what that leaves undone.
    const complete = !unresolved.some((problem) => startsWith(problem.path, path));
    const source = await readSource(item, path, complete ? connectors : null, problems);
    if (source !== undefined) sources.push(source);
  }
  problems.push(...duplicates(written));
  return sources;
}

/** File names in a configuration start from its own folder, wherever the daemon was started. */
function absolutePaths(value: unknown, directory: string, section = ''): unknown {
  if (Array.isArray(value)) return value.map((item) => absolutePaths(item, directory, section));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, item]) => {
      const isPath = name.endsWith('_file') || (section === 'checkpoint' && name === 'path');
      if (isPath && typeof item === 'string' && item !== '') return [name, resolve(directory, item)];
      return [name, absolutePaths(item, directory, name)];
    }),
  );
}

/** What a variable that is not set makes of a setting is not worth a second complaint. */
function withoutConsequences(problems: readonly Problem[], causes: readonly Problem[]): Problem[] {
  return problems.filter((problem) => !causes.some((cause) => startsWith(problem.path, cause.path)));
}

function startsWith(path: Path, start: Path): boolean {
  return start.every((step, at) => path[at] === step);
}
