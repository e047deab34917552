import { AvroCursor } from './avro-cursor.ts';
import { AvroDecodeError } from './avro-reader.ts';
import {
  ComparableSchema,
  type ComparableTexts,
  type CompiledRecord,
  isObject,
  type Take,
} from './comparable-schema.ts';

/** What a record of a table's topic says. */
export interface EnvelopeParts {
  op: string;
  hasBefore: boolean;
  hasAfter: boolean;
}

type TakeRow = (input: AvroCursor) => void;

/**
 * Reads the row images of Debezium's envelopes of one schema; what else they hold is stepped over.
 * @throws AvroDecodeError where the schema is not that of an envelope
 */
export class EnvelopeReader {
  readonly row: CompiledRecord;
  readonly #schema: ComparableSchema;
  readonly #before: readonly Take[];
  readonly #between: readonly Take[];
  readonly #rest: readonly Take[];
  readonly #beforeNull: number;
  readonly #afterNull: number;
  readonly #cursor = new AvroCursor();
  readonly #parts: EnvelopeParts = { op: '', hasBefore: false, hasAfter: false };

  constructor(schemaText: string, texts: ComparableTexts) {
    const schema = new ComparableSchema(schemaText, texts);
    this.#schema = schema;
    const { fields } = schema.rootRecord();
    const index = (name: string): number => {
      const found = fields.findIndex((field) => field.name === name);
      if (found < 0) throw new AvroDecodeError(`the schema is not that of an envelope: it has no field ${name}`);
      return found;
    };
    const [before, after, op] = [index('before'), index('after'), index('op')];
    if (before !== 0 || after !== 1 || op < after) {
      throw new AvroDecodeError('the fields of the envelope are in another order than Debezium’s');
    }
    const [beforeType, afterType] = [optional(schema.root, before), optional(schema.root, after)];
    const namespace = namespaceOf(schema.root);
    this.#beforeNull = beforeType.nullBranch;
    this.#afterNull = afterType.nullBranch;
    this.row = schema.record(afterType.type, namespace);
    this.#before = schema.record(beforeType.type, namespace).fields.map(({ take }) => take);
    this.#between = fields.slice(after + 1, op).map(({ take }) => take);
    this.#rest = fields.slice(op + 1).map(({ take }) => take);
    if (beforeType.name !== afterType.name) throw new AvroDecodeError('the old and the new row have different types');
  }

  /**
   * Reads the envelope in `bytes` from `start` to its end. `takeBefore` and `takeAfter` are called where there is an image;
   * null: it is stepped over. The answer is reused. @throws AvroDecodeError
   */
  read(bytes: Buffer, start: number, takeBefore: TakeRow | null, takeAfter: TakeRow | null): EnvelopeParts {
    const input = this.#cursor.open(bytes, start);
    const parts = this.#parts;
    this.#schema.reset();
    parts.hasBefore = this.#image(input, this.#beforeNull, takeBefore);
    parts.hasAfter = this.#image(input, this.#afterNull, takeAfter);
    for (const take of this.#between) take(input, null);
    const opAt = input.skipSized();
    parts.op = input.bytes.toString('latin1', opAt, input.at);
    for (const take of this.#rest) take(input, null);
    if (input.remaining > 0) throw new AvroDecodeError(`${input.remaining} bytes follow the value`);
    return parts;
  }

  #image(input: AvroCursor, nullBranch: number, takeRow: TakeRow | null): boolean {
    const branch = input.integer();
    if (branch === nullBranch) return false;
    if (branch !== 1 - nullBranch) throw new AvroDecodeError('a union has no such branch');
    if (takeRow !== null) takeRow(input);
    else for (const take of this.#before) take(input, null);
    return true;
  }
}

function optional(root: unknown, index: number): { type: unknown; name: string; nullBranch: number } {
  const field = (root as { fields: { name: string; type: unknown }[] }).fields[index]!;
  const { type } = field;
  if (!Array.isArray(type) || type.length !== 2 || !type.includes('null')) {
    throw new AvroDecodeError(`the schema is not that of an envelope: ${field.name} is not an optional record`);
  }
  const nullBranch = type.indexOf('null');
  const row: unknown = type[1 - nullBranch];
  const fullName = isObject(row) ? String(row.name) : String(row);
  return { type: row, name: fullName.slice(fullName.lastIndexOf('.') + 1), nullBranch };
}

function namespaceOf(root: unknown): string {
  const { name, namespace } = root as { name: string; namespace?: string };
  if (name.includes('.')) return name.slice(0, name.lastIndexOf('.'));
  return namespace ?? '';
}
