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
  /** What stands in the document. */
  readonly written: Buffer;
  /** What goes into the checksum. */
  readonly checked: Buffer;
}

const COMMA = Buffer.from(',');
const LINE_END = Buffer.from(',\n    ');

/** The document as text. */
export function encodeStateDocument(document: StateDocument): string {
  return new StateDocumentEncoder().encode(document).toString();
}

/**
 * The state of one source as a readable JSON document: the file of the file store, and what `checkpoint export` prints.
 * Values that are canonical JSON stand in `entries` as JSON, others in `texts` as strings, so that every value comes back
 * to the byte. `sha256` covers all of it: a flipped bit in a position must not become another position.
 *
 * Lines are kept for the next document, as bytes: of the thousands of entries that a thousand tables have, a save changes
 * a few, and megabytes of text each second would keep the garbage collector busy.
 */
export class StateDocumentEncoder {
  readonly #lines = new Map<string, Line>();

  /** @returns UTF-8 */
  encode({ source, entries }: StateDocument): Buffer {
    const lines = [...entries.keys()].sort().map((key) => this.#lineOf(key, entries.get(key)!));
    if (this.#lines.size > lines.length) this.#forgetAllBut(entries);
    const pairs = lines.map(({ checked }) => checked);
    const texts = lines.filter(({ isJson }) => !isJson);
    const head = [
      `"format": ${JSON.stringify(FORMAT)}`,
      `"formatVersion": ${FORMAT_VERSION}`,
      `"source": ${JSON.stringify(source)}`,
      `"sha256": ${JSON.stringify(checksum(source, pairs))}`,
    ];
    return Buffer.concat([
      Buffer.from(`{\n  ${head.join(',\n  ')},\n  "entries": `),
      ...renderObject(lines.filter(({ isJson }) => isJson)),
      ...(texts.length === 0 ? [] : [Buffer.from(',\n  "texts": '), ...renderObject(texts)]),
      Buffer.from('\n}\n'),
    ]);
  }

  #lineOf(key: string, text: string): Line {
    const before = this.#lines.get(key);
    if (before?.text === text) return before;
    const line = renderLine(key, text);
    this.#lines.set(key, line);
    return line;
  }

  #forgetAllBut(entries: ReadonlyMap<string, string>): void {
    for (const key of this.#lines.keys()) if (!entries.has(key)) this.#lines.delete(key);
  }
}

function renderLine(key: string, text: string): Line {
  const value = canonicalJson(text);
  const isJson = value !== undefined;
  const rendered = isJson ? JSON.stringify(value, null, 2).replaceAll('\n', '\n    ') : JSON.stringify(text);
  const written = Buffer.from(`${JSON.stringify(key)}: ${rendered}`);
  return { text, isJson, written, checked: Buffer.from(JSON.stringify([key, text])) };
}

function renderObject(lines: readonly Line[]): Buffer[] {
  if (lines.length === 0) return [Buffer.from('{}')];
  const written = lines.map((line) => line.written);
  return [Buffer.from('{\n    '), ...joined(written, LINE_END), Buffer.from('\n  }')];
}

function joined(parts: readonly Buffer[], separator: Buffer): Buffer[] {
  return parts.flatMap((part, index) => (index === 0 ? [part] : [separator, part]));
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
  values.sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));
  const pairs = values.map((pair) => Buffer.from(JSON.stringify(pair)));
  if (body.sha256 !== checksum(source, pairs)) throw damaged(origin, 'its content does not fit its checksum');
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

/** @param pairs `["key","value"]` as UTF-8, in the order of the keys */
function checksum(source: string, pairs: readonly Buffer[]): string {
  return createHash('sha256')
    .update(`[${JSON.stringify(source)},[`)
    .update(Buffer.concat(joined(pairs, COMMA)))
    .update(']]')
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
