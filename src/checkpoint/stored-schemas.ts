import { FatalError } from '../core/errors.ts';
import { OneAtATime } from '../core/one-at-a-time.ts';
import type { SchemaStore, StoredVersion } from '../core/schema-store.ts';
import type { SourceState } from '../core/source-state.ts';
import { isObject, isText, StoredJson } from './stored-json.ts';

const PREFIX = 'relation/';

/**
 * The versions of a source's tables, one entry `relation/<relation>` each. Positions are compared as text, as StoredVersion
 * promises that they can be.
 */
export class StoredSchemas implements SchemaStore {
  readonly #state: SourceState;
  readonly #versions = new Map<string, readonly StoredVersion[]>();
  /** Relations with more than one version: only these can have something to forget. */
  readonly #changed = new Set<string>();
  readonly #turns = new OneAtATime();

  /** @throws FatalError where a stored entry is damaged. */
  constructor(state: SourceState) {
    this.#state = state;
    for (const [key, text] of state.entries) {
      if (key.startsWith(PREFIX)) this.#keep(key.slice(PREFIX.length), decodeVersions(text, key));
    }
  }

  versions(relation: string): readonly StoredVersion[] {
    return this.#versions.get(relation) ?? [];
  }

  /**
   * A version that equals the last one is stored already.
   * @throws FatalError for a version that begins before the last one.
   */
  add(relation: string, version: StoredVersion, signal: AbortSignal): Promise<void> {
    return this.#turns.run(async () => {
      const before = this.versions(relation);
      const last = before.at(-1);
      if (last !== undefined && isSame(last, version)) return;
      if (last !== undefined && version.since < last.since) throw notInOrder(relation, last, version);
      const next = [...before, version];
      await this.#state.put(new Map([[`${PREFIX}${relation}`, encodeVersions(next)]]), signal);
      this.#keep(relation, next);
    });
  }

  /**
   * Saves `entries`, and in the same save forgets what no replay from the sort key `replayFrom` on can need (null: all may
   * be needed): of each relation, the versions before the newest one that began at or before it.
   */
  saveAndForget(entries: ReadonlyMap<string, string>, replayFrom: string | null, signal: AbortSignal): Promise<void> {
    // In turn with `add`: each writes a relation's whole list, and the later one must have seen the earlier one's.
    return this.#turns.run(async () => {
      const kept = new Map(replayFrom === null ? [] : this.#neededFrom(replayFrom));
      const lists = [...kept].map(([relation, list]) => [`${PREFIX}${relation}`, encodeVersions(list)] as const);
      await this.#state.put(new Map([...lists, ...entries]), signal);
      for (const [relation, list] of kept) this.#keep(relation, list);
    });
  }

  /** Saves `entries`, and in the same save forgets every version. */
  saveAndForgetAll(entries: ReadonlyMap<string, string | null>, signal: AbortSignal): Promise<void> {
    return this.#turns.run(async () => {
      const forgotten = [...this.#versions.keys()].map((relation) => [`${PREFIX}${relation}`, null] as const);
      await this.#state.put(new Map([...forgotten, ...entries]), signal);
      this.#versions.clear();
      this.#changed.clear();
    });
  }

  /** The shortened lists of those relations that have something to forget. */
  *#neededFrom(replayFrom: string): Generator<[relation: string, versions: readonly StoredVersion[]]> {
    for (const relation of this.#changed) {
      const versions = this.versions(relation);
      const first = versions.findLastIndex(({ since }) => since <= replayFrom);
      if (first > 0) yield [relation, versions.slice(first)];
    }
  }

  #keep(relation: string, versions: readonly StoredVersion[]): void {
    this.#versions.set(relation, versions);
    if (versions.length > 1) this.#changed.add(relation);
    else this.#changed.delete(relation);
  }
}

function encodeVersions(versions: readonly StoredVersion[]): string {
  return JSON.stringify({
    formatVersion: 1,
    versions: versions.map(({ layout, since, resolved }) => ({ layout, since, resolved })),
  });
}

function decodeVersions(text: string, key: string): StoredVersion[] {
  const json = new StoredJson(text, `the table versions under ${key}`, 1);
  json.only(['versions']);
  const versions = json.field('versions', isVersions, 'a list of versions');
  if (versions.some(({ since }, i) => i > 0 && since < versions[i - 1]!.since))
    throw json.damaged('it is not in order');
  return versions;
}

function isVersions(value: unknown): value is StoredVersion[] {
  return (
    Array.isArray(value) &&
    value.length > 0 &&
    value.every((item) => isObject(item) && isText(item.layout) && isText(item.since) && isText(item.resolved))
  );
}

function isSame(a: StoredVersion, b: StoredVersion): boolean {
  return a.layout === b.layout && a.since === b.since && a.resolved === b.resolved;
}

function notInOrder(relation: string, last: StoredVersion, version: StoredVersion): FatalError {
  return new FatalError(
    `A version of relation ${relation} from ${version.since} was met after one from ${last.since}`,
    {
      code: 'SCHEMA_VERSION_OUT_OF_ORDER',
      remedy: 'This is a fault of tailrace: please report it with the log of this process.',
      position: version.since,
    },
  );
}
