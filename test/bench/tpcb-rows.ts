import type { PostgresDatabase } from '../support/postgres-database.ts';

/** Changes of one transaction: three updates and an insert. */
export const CHANGES_PER_TRANSACTION = 4;
const ACCOUNTS = 100_000;
const TELLERS = 10;

/** The tables of pgbench at scale 1, with its types: https://www.postgresql.org/docs/current/pgbench.html */
export const TPCB_SQL = `
  CREATE TABLE pgbench_branches (bid int PRIMARY KEY, bbalance int, filler char(88));
  CREATE TABLE pgbench_tellers (tid int PRIMARY KEY, bid int, tbalance int, filler char(84));
  CREATE TABLE pgbench_accounts (aid int PRIMARY KEY, bid int, abalance int, filler char(84));
  CREATE TABLE pgbench_history (tid int, bid int, aid int, delta int, mtime timestamp, filler char(22));
  INSERT INTO pgbench_branches VALUES (1, 0, '');
  INSERT INTO pgbench_tellers SELECT g, 1, 0, '' FROM generate_series(1, ${TELLERS}) g;
  INSERT INTO pgbench_accounts SELECT g, 1, 0, '' FROM generate_series(1, ${ACCOUNTS}) g`;

/** Runs transactions of pgbench's built-in script `tpcb-like`, one after another. */
export async function runTpcb(database: PostgresDatabase, transactions: number): Promise<void> {
  await database.query(`CREATE OR REPLACE PROCEDURE run_tpcb(transactions int) LANGUAGE plpgsql AS $$
    DECLARE account int; teller int; amount int;
    BEGIN
      FOR i IN 1 .. transactions LOOP
        account := 1 + (random() * ${ACCOUNTS - 1})::int;
        teller := 1 + (random() * ${TELLERS - 1})::int;
        amount := -5000 + (random() * 10000)::int;
        UPDATE pgbench_accounts SET abalance = abalance + amount WHERE aid = account;
        UPDATE pgbench_tellers SET tbalance = tbalance + amount WHERE tid = teller;
        UPDATE pgbench_branches SET bbalance = bbalance + amount WHERE bid = 1;
        INSERT INTO pgbench_history (tid, bid, aid, delta, mtime)
          VALUES (teller, 1, account, amount, clock_timestamp());
        COMMIT;
      END LOOP;
    END $$`);
  await database.query(`CALL run_tpcb(${transactions})`);
}
