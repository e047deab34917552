import type { Path, Problem } from './problem.ts';

/** Something that one source alone may have. */
interface Claim {
  readonly kind: string;
  readonly identity: string;
  readonly setting: Path;
  readonly remedy: string;
}

/** Sources that would write over each other: the same name, the same topics, or the same slot of the same server. */
export function duplicates(sources: readonly unknown[]): Problem[] {
  const problems: Problem[] = [];
  const owners = new Map<string, number>();
  for (const [index, source] of sources.entries()) {
    const complaints = new Map<string, Problem>();
    for (const { kind, identity, setting, remedy } of claims(source)) {
      const owner = owners.get(`${kind}\0${identity}`);
      if (owner === undefined) {
        owners.set(`${kind}\0${identity}`, index);
        continue;
      }
      const path = ['sources', index, ...setting];
      const message = `is the same ${kind} as that of sources[${owner}]`;
      // One complaint for a setting: a name that is taken takes the topic prefix and the slot derived from it along.
      if (!complaints.has(path.join('.'))) complaints.set(path.join('.'), { path, message, remedy });
    }
    problems.push(...complaints.values());
  }
  return problems;
}

/** Read from what is written, so that duplicates are named beside whatever else is wrong. */
function claims(source: unknown): Claim[] {
  const ownName = valueAt(source, ['name'], 'name');
  const ownPrefix = valueAt(source, ['topic_prefix'], 'topic.prefix');
  const name = ownName ?? ownPrefix;
  const prefix = ownPrefix ?? ownName;
  if (name === undefined || prefix === undefined) return [];
  const ownSlot = valueAt(source, ['slot', 'name'], 'slot.name');
  const slot = ownSlot ?? {
    text: `tailrace_${name.text.toLowerCase().replaceAll(/[^a-z0-9_]/g, '_')}`,
    path: name.path,
  };
  return [
    { kind: 'name', identity: name.text, setting: name.path, remedy: 'Give each source a name of its own.' },
    {
      kind: 'topic prefix',
      identity: prefix.text,
      setting: prefix.path,
      remedy: 'Give each source topics of its own.',
    },
    {
      kind: 'slot',
      identity: `${slot.text}\0${server(source)}`,
      setting: slot.path,
      remedy: 'A slot serves one source: set another slot.name.',
    },
  ];
}

/** Where slots live: their names are unique per server, not per database. */
function server(source: unknown): string {
  const url = URL.parse(valueAt(source, ['url'], '')?.text ?? '');
  const host = url?.hostname || (valueAt(source, ['host'], 'database.hostname')?.text ?? 'localhost');
  const port = url?.port || (valueAt(source, ['port'], 'database.port')?.text ?? '5432');
  return `${host.toLowerCase()}:${port}`;
}

/** A setting, or the Debezium property for it. */
function valueAt(source: unknown, path: Path, property: string): { text: string; path: Path } | undefined {
  for (const at of [path, ['debezium', property]]) {
    const value = at.reduce<unknown>((section, step) => (section as Record<string, unknown> | null)?.[step], source);
    if (typeof value === 'string' || typeof value === 'number') return { text: String(value), path: at };
  }
  return undefined;
}
