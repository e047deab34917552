import { createHash } from 'node:crypto';
import { FatalError } from '../core/errors.ts';

/** Everything that is stored for one source. */
export interface StateDocument {
  readonly source: string;
  readonly entries: ReadonlyMap<string, string>;
}

const FORMAT = 'tailrace-state';
const FORMAT_VERSION = 1;

/** One entry of a document, ready to be written. */
interface Line {
  /** The entry's value, of which the line was made. */
  readonly text: string;
  readonly isJson: boolean;
  readonly line: string;
}

/** The document as text. */
export function encodeStateDocument(document: StateDocument): string {
  return new StateDocumentEncoder().encode(document);
}

/**
 * The state of one source as a readable JSON document: the file of the file store, and what `checkpoint export` prints.
 * Values that are canonical JSON stand in `entries` as JSON, others in `texts` as strings, so that every value comes back
 * to the byte. `sha256` covers all of it: a flipped bit in a position must not become another position.
 *
 * Lines are kept for the next document: of the thousands of entries that a thousand tables have, a save changes a few.
 */
export class StateDocumentEncoder {
  #lines = new Map<string, Line>();

  encode({ source, entries }: StateDocument): string {
    const sorted = [...entries].sort(byKey);
    const lines = new Map<string, Line>();
    for (const [key, text] of sorted) {
      const before = this.#lines.get(key);
      lines.set(key, before?.text === text ? before : renderLine(key, text));
    }
    this.#lines = lines;
    const all = [...lines.values()];
    const texts = all.filter(({ isJson }) => !isJson);
    const fields = [
      `"format": ${JSON.stringify(FORMAT)}`,
      `"formatVersion": ${FORMAT_VERSION}`,
      `"source": ${JSON.stringify(source)}`,
      `"sha256": ${JSON.stringify(checksum(source, sorted))}`,
      `"entries": ${renderObject(all.filter(({ isJson }) => isJson))}`,
      ...(texts.length === 0 ? [] : [`"texts": ${renderObject(texts)}`]),
    ];
    return `{\n  ${fields.join(',\n  ')}\n}\n`;
  }
}

function renderLine(key: string, text: string): Line {
  const value = canonicalJson(text);
  const isJson = value !== undefined;
  const rendered = isJson ? JSON.stringify(value, null, 2).replaceAll('\n', '\n    ') : JSON.stringify(text);
  return { text, isJson, line: `${JSON.stringify(key)}: ${rendered}` };
}

function renderObject(lines: readonly Line[]): string {
  return lines.length === 0 ? '{}' : `{\n    ${lines.map(({ line }) => line).join(',\n    ')}\n  }`;
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
