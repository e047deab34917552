import type { PostgresDatabase } from '../support/postgres-database.ts';

/** The row of the measurements: ten columns of mixed types, about 183 bytes in Postgres. */
export const TABLE_SQL = `CREATE TABLE rows (
  id bigint PRIMARY KEY, a int NOT NULL, t text, v varchar(64), n numeric(12, 2), ts timestamptz, b boolean, j jsonb,
  u uuid, d double precision)`;

/** Inserts `rows` rows in transactions of `rowsPerTransaction`. */
export async function load(database: PostgresDatabase, rows: number, rowsPerTransaction: number): Promise<void> {
  await database.query(`CREATE OR REPLACE PROCEDURE load_rows(total int, per_transaction int) LANGUAGE plpgsql AS $$
    BEGIN
      FOR i IN 0 .. (total / per_transaction - 1) LOOP
        INSERT INTO rows SELECT g, (g::bigint * 7919) % 1000003, 'text value ' || md5(g::text), 'v' || g,
          (g % 100000) / 100.0 + g % 1000, timestamptz '2026-01-01' + g * interval '1.000001 second', g % 2 = 0,
          jsonb_build_object('k', g, 'tag', 'x' || (g % 100), 'ok', true), md5('u' || g)::uuid, g / 3.0
        FROM generate_series(i * per_transaction + 1, (i + 1) * per_transaction) g;
        COMMIT;
      END LOOP;
    END $$`);
  await database.query(`CALL load_rows(${rows}, ${rowsPerTransaction})`);
}
