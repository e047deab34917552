import type pg from 'pg';
import type { SeededRandom } from './workload-random.ts';
import { MAX_LABELS } from './workload-values.ts';

const CHANGED_TABLES = ['accounts', 'orders', 'lines', 'docs', 'docs_full', 'keyless', 'events', 'wiped'];
/** Column types by the prefix of their names, each with what it may be altered to and a default. */
const TYPES: Readonly<Record<string, { readonly type: string; readonly wider: readonly string[]; default: string }>> = {
  i_: { type: 'int', wider: ['bigint', 'int'], default: '7' },
  t_: { type: 'text', wider: ['varchar(90)', 'text', 'varchar(120)'], default: "'new'" },
  n_: { type: 'numeric(18,4)', wider: ['numeric(24,6)', 'numeric(20,5)', 'numeric'], default: '1.5' },
  f_: { type: 'boolean', wider: ['boolean'], default: 'true' },
  z_: { type: 'timestamptz', wider: ['timestamptz(3)', 'timestamptz'], default: "'2001-02-03 04:05:06Z'" },
  e_: { type: 'public.mood', wider: ['public.mood'], default: "'l1'" },
};
const MAX_COLUMNS = 10;
const MAX_TABLES = 4;
const MAX_DDL_ROWS = 5;

/** Schema changes of every kind, each in one transaction, often with rows before and after the change. */
export class SchemaChanges {
  readonly #random: SeededRandom;
  readonly #publication: string;
  readonly #tables: string[];
  #nextColumn = 100;
  #labels = 3;
  #newTables = 0;
  made = 0;

  /** New tables are pushed onto `tables`. */
  constructor(random: SeededRandom, publication: string, tables: string[]) {
    this.#random = random;
    this.#publication = publication;
    this.#tables = tables;
  }

  /** @returns whether it was committed. */
  async makeOne(client: pg.Client): Promise<boolean> {
    const kind = this.#random.int(0, 19);
    if (kind === 0) return this.#addLabel(client);
    if (kind === 1) return this.#createTable(client);
    const table = this.#random.pick(CHANGED_TABLES);
    await client.query('BEGIN');
    await this.#writeSome(client, table);
    const statement = await this.#alteration(client, table, kind);
    if (statement !== null) await client.query(`ALTER TABLE public.${table} ${statement}`);
    await this.#writeSome(client, table);
    const rollback = this.#random.chance(0.15);
    await client.query(rollback ? 'ROLLBACK' : 'COMMIT');
    if (rollback) return false;
    this.made += 1;
    return true;
  }

  async #alteration(client: pg.Client, table: string, kind: number): Promise<string | null> {
    const random = this.#random;
    const columns = await readColumns(client, table);
    const free = columns.filter((column) => TYPES[column.slice(0, 2)] !== undefined);
    const required = columns.filter((column) => column.startsWith('r_'));
    if (kind < 8 && columns.length < MAX_COLUMNS) {
      if (random.chance(0.2)) return `ADD COLUMN ${this.#columnName('r_')} int NOT NULL DEFAULT 3`;
      const prefix = random.pick(Object.keys(TYPES));
      const { type, default: value } = TYPES[prefix]!;
      return `ADD COLUMN ${this.#columnName(prefix)} ${type}${random.chance(0.6) ? ` DEFAULT ${value}` : ''}`;
    }
    if (kind < 11 && free.length > 1) return `DROP COLUMN ${random.pick(free)}`;
    if (kind < 14 && free.length > 0) {
      const column = random.pick(free);
      return `RENAME COLUMN ${column} TO ${this.#columnName(column.slice(0, 2))}`;
    }
    if (kind < 17 && free.length > 0) {
      const column = random.pick(free);
      return `ALTER COLUMN ${column} TYPE ${random.pick(TYPES[column.slice(0, 2)]!.wider)}`;
    }
    if (required.length > 0) {
      return `ALTER COLUMN ${random.pick(required)} ${random.chance(0.5) ? 'SET' : 'DROP'} NOT NULL`;
    }
    return free.length > 0 ? `ALTER COLUMN ${random.pick(free)} DROP DEFAULT` : null;
  }

  async #addLabel(client: pg.Client): Promise<boolean> {
    if (this.#labels === MAX_LABELS) return false;
    await client.query(`ALTER TYPE public.mood ADD VALUE IF NOT EXISTS 'l${this.#labels}'`);
    this.#labels += 1;
    this.made += 1;
    return true;
  }

  /** The table is published by the transaction that creates it, so that no row of it is too early. */
  async #createTable(client: pg.Client): Promise<boolean> {
    if (this.#newTables === MAX_TABLES) return false;
    const table = `extra_${this.#newTables + 1}`;
    // There it is when the server was lost with the answer to its COMMIT.
    const { rows } = await client.query('SELECT 1 FROM pg_class WHERE relname = $1', [table]);
    if (rows.length === 0) {
      await client.query('BEGIN');
      await client.query(
        `CREATE TABLE public.${table} (id int PRIMARY KEY, v bigint NOT NULL, t_1 text DEFAULT 'x', e_2 public.mood)`,
      );
      await client.query(`ALTER PUBLICATION ${this.#publication} ADD TABLE public.${table}`);
      await this.#writeSome(client, table);
      await client.query('COMMIT');
    }
    this.#newTables += 1;
    this.#tables.push(table);
    this.made += 1;
    return true;
  }

  async #writeSome(client: pg.Client, table: string): Promise<void> {
    if (table === 'events') return;
    for (let left = this.#random.int(0, MAX_DDL_ROWS); left > 0; left -= 1) {
      await client.query('SELECT workload.put($1, $2, false)', [table, this.#random.int(1, 240)]);
    }
  }

  #columnName(prefix: string): string {
    this.#nextColumn += 1;
    return `${prefix}${this.#nextColumn}`;
  }
}

async function readColumns(client: pg.Client, table: string): Promise<string[]> {
  const { rows } = await client.query<{ attname: string }>(
    `SELECT attname FROM pg_attribute
      WHERE attrelid = $1::regclass AND attnum > 0 AND NOT attisdropped ORDER BY attnum`,
    [`public.${table}`],
  );
  return rows.map(({ attname }) => attname);
}
