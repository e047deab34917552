import { FatalError } from '../core/errors.ts';

/** A stored value that was parsed, for strict reading: whatever is not as expected is a FatalError that names the entry. */
export class StoredJson {
  readonly #entry: string;
  readonly #fields: Readonly<Record<string, unknown>>;

  /**
   * @param entry what the text is, for messages: `the checkpoint of source shop`.
   * @throws FatalError where the text is not an object of format version `version`.
   */
  constructor(text: string, entry: string, version: number) {
    this.#entry = entry;
    this.#fields = this.#parse(text);
    if (this.#fields.formatVersion !== version) {
      const found = JSON.stringify(this.#fields.formatVersion) ?? 'none';
      throw new FatalError(`${entry} has format version ${found}; this version of tailrace knows ${version}`, {
        code: 'STATE_FORMAT_UNKNOWN',
        remedy: 'Run the version of tailrace that wrote it, or a newer one.',
      });
    }
  }

  /** The value of a field that must pass `test`. `expected` says in words what that is. */
  field<T>(name: string, test: (value: unknown) => value is T, expected: string): T {
    const value = this.#fields[name];
    if (test(value)) return value;
    throw this.damaged(`"${name}" is not ${expected}`);
  }

  text(name: string): string {
    return this.field(name, isText, 'text');
  }

  /** Refuses fields that this version does not know: ignoring one could mean ignoring what it protects. */
  only(names: readonly string[]): void {
    for (const name of Object.keys(this.#fields)) {
      if (name !== 'formatVersion' && !names.includes(name)) throw this.damaged(`"${name}" is unknown`);
    }
  }

  damaged(why: string): FatalError {
    return new FatalError(`${this.#entry} is damaged: ${why}`, {
      code: 'STATE_DAMAGED',
      remedy:
        'Import an exported checkpoint with `tailrace checkpoint import`, or take a new snapshot with `tailrace resync`.',
    });
  }

  #parse(text: string): Record<string, unknown> {
    let value: unknown;
    try {
      value = JSON.parse(text);
    } catch {
      // Without the parser's message, which quotes the text.
      throw this.damaged('it is not JSON');
    }
    if (isObject(value)) return value;
    throw this.damaged('it is not an object');
  }
}

export function isText(value: unknown): value is string {
  return typeof value === 'string';
}

export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** A whole number from 0 to 2^53 - 1. */
export function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}
