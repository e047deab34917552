import { createHash } from 'node:crypto';
import { FatalError } from '../core/errors.ts';

/** Everything that is stored for one source. */
export interface StateDocument {
  readonly source: string;
  readonly entries: ReadonlyMap<string, string>;
}

const FORMAT = 'tailrace-state';
const FORMAT_VERSION = 1;

/**
 * The state of one source as a readable JSON document: the file of the file store, and what `checkpoint export` prints.
 * Values that are canonical JSON stand in `entries` as JSON, others in `texts` as strings, so that every value comes back
 * to the byte. `sha256` covers all of it: a flipped bit in a position must not become another position.
 */
export function encodeStateDocument(document: StateDocument): string {
  const sorted = [...document.entries].sort(byKey);
  const entries: [string, unknown][] = [];
  const texts: [string, string][] = [];
  for (const [key, text] of sorted) {
    const value = canonicalJson(text);
    if (value === undefined) texts.push([key, text]);
    else entries.push([key, value]);
  }
  const body = {
    format: FORMAT,
    formatVersion: FORMAT_VERSION,
    source: document.source,
    sha256: checksum(document.source, sorted),
    // fromEntries defines own properties, so that even a key such as __proto__ is only a key.
    entries: Object.fromEntries(entries),
    ...(texts.length === 0 ? {} : { texts: Object.fromEntries(texts) }),
  };
  return `${JSON.stringify(body, null, 2)}\n`;
}

/**
 * @param origin where the text comes from, for the message.
 * @throws FatalError where the text is not a whole document of a format that this version knows.
 */
export function decodeStateDocument(text: string, origin: string): StateDocument {
  const body = parseObject(text);
  if (body === null) throw damaged(origin, 'it is not a JSON object, so it was cut off or overwritten');
  if (body.format !== FORMAT) throw damaged(origin, `its "format" is not ${FORMAT}`);
  if (body.formatVersion !== FORMAT_VERSION) {
    throw new FatalError(`${origin} has format version ${JSON.stringify(body.formatVersion)}; this version knows 1`, {
      code: 'STATE_FORMAT_UNKNOWN',
      remedy: 'Run the version of tailrace that wrote it, or a newer one.',
    });
  }
  const { source, entries, texts = {} } = body;
  if (typeof source !== 'string') throw damaged(origin, 'it names no source');
  if (!isRecord(entries) || !isRecord(texts)) throw damaged(origin, 'it has no entries');
  const values: [string, string][] = Object.entries(entries).map(([key, value]) => [key, JSON.stringify(value)]);
  for (const [key, value] of Object.entries(texts)) {
    if (typeof value !== 'string') throw damaged(origin, `the value of ${key} is not text`);
    values.push([key, value]);
  }
  values.sort(byKey);
  if (body.sha256 !== checksum(source, values)) throw damaged(origin, 'its content does not fit its checksum');
  return { source, entries: new Map(values) };
}

function canonicalJson(text: string): unknown {
  try {
    const value: unknown = JSON.parse(text);
    return JSON.stringify(value) === text ? value : undefined;
  } catch {
    // Not JSON at all: the caller keeps it as text.
    return undefined;
  }
}

function parseObject(text: string): Record<string, unknown> | null {
  try {
    const value: unknown = JSON.parse(text);
    return isRecord(value) ? value : null;
  } catch {
    // The caller names what is wrong: a parser's message would quote the content.
    return null;
  }
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function byKey(a: readonly [string, string], b: readonly [string, string]): number {
  return a[0] < b[0] ? -1 : a[0] > b[0] ? 1 : 0;
}

function checksum(source: string, sorted: readonly (readonly [string, string])[]): string {
  return createHash('sha256')
    .update(JSON.stringify([source, sorted]))
    .digest('hex');
}

function damaged(origin: string, why: string): FatalError {
  return new FatalError(`${origin} is damaged: ${why}`, {
    code: 'STATE_DAMAGED',
    remedy:
      'Restore it from a backup or with `tailrace checkpoint import`, or take a new snapshot with `tailrace resync`. ' +
      'Do not delete it: without it the daemon cannot know what was already published.',
  });
}
