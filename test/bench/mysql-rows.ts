import type { MysqlDatabase } from '../support/mysql-database.ts';

/** The row of the measurements: ten columns of mixed types, about 190 bytes in the log. */
export const TABLE_SQL = `CREATE TABLE \`rows\` (
  id bigint PRIMARY KEY, a int NOT NULL, t text, v varchar(64), n decimal(12, 2), ts datetime(6), b tinyint(1), j json,
  u char(36), d double) CHARACTER SET utf8mb4`;

/** Rows of a statement, which is one event of the log. */
const ROWS_PER_EVENT = 20;

const VALUES = `(g * 7919) % 1000003, CONCAT('text value ', LEFT(SHA2(g, 256), 32)), CONCAT('v', g), (g % 100000) / 100 + g % 1000,
  TIMESTAMP'2026-01-01 00:00:00' + INTERVAL g * 1.000001 SECOND, g % 2 = 0,
  JSON_OBJECT('k', g, 'tag', CONCAT('x', g % 100), 'ok', TRUE),
  INSERT(INSERT(INSERT(INSERT(LEFT(SHA2(CONCAT('u', g), 256), 32), 9, 0, '-'), 14, 0, '-'), 19, 0, '-'), 24, 0, '-'), g / 3e0`;

/** Inserts `rows` rows in transactions of `rowsPerTransaction`; `compressed` where MySQL shall write them so. */
export async function load(
  database: MysqlDatabase,
  rows: number,
  rowsPerTransaction: number,
  compressed: boolean,
): Promise<void> {
  const perEvent = Math.min(ROWS_PER_EVENT, rowsPerTransaction);
  await database.query('CREATE TABLE numbers (n int PRIMARY KEY)');
  await database.query(`INSERT INTO numbers VALUES ${Array.from({ length: perEvent }, (_, n) => `(${n})`).join(',')}`);
  await database.query(`CREATE PROCEDURE load_rows() BEGIN
    DECLARE done int DEFAULT 0;
    WHILE done < ${rows} DO
      START TRANSACTION;
      REPEAT
        INSERT INTO \`rows\` SELECT g, ${VALUES} FROM (SELECT done + n + 1 AS g FROM numbers) AS numbered;
        SET done = done + ${perEvent};
      UNTIL done % ${rowsPerTransaction} = 0 END REPEAT;
      COMMIT;
    END WHILE;
  END`);
  if (compressed) await database.query('SET SESSION binlog_transaction_compression = ON');
  await database.query('CALL load_rows()');
  if (compressed) await database.query('SET SESSION binlog_transaction_compression = OFF');
}
