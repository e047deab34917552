import type mysql from 'mysql2/promise';
import { awaitUntil } from './await-until.ts';
import type { MysqlDatabase } from './mysql-database.ts';
import { SeededRandom } from './workload-random.ts';

const KEYS = 300;
const CHUNK = 50;

/** Lock wait timeout and deadlock: whoever meets one begins again, writers and tools alike. */
const TRY_AGAIN = new Set([1205, 1213]);

/** The table that is changed, and the log of what was written into it, which stands for the binlog that gh-ost reads. */
export const MIGRATED_SCHEMA: readonly string[] = [
  'CREATE TABLE t (id int PRIMARY KEY, v int NOT NULL, note varchar(40))',
  'CREATE TABLE ops (seq int AUTO_INCREMENT PRIMARY KEY, id int NOT NULL, v int NOT NULL, live tinyint NOT NULL)',
];

/** Inserts, updates and deletes rows of `t` one after the other; `v` counts the changes of a key without a gap. */
export class MigratedWriter implements AsyncDisposable {
  readonly #connection: mysql.Connection;
  readonly #random = new SeededRandom(20_261_121);
  readonly #versions = new Map<number, { v: number; live: boolean }>();
  #running: Promise<void> = Promise.resolve();
  #stopped = false;
  #failure: unknown = null;
  written = 0;

  private constructor(connection: mysql.Connection) {
    this.#connection = connection;
  }

  static async start(database: MysqlDatabase): Promise<MigratedWriter> {
    const writer = new MigratedWriter(await database.connect());
    await writer.#connection.query('SET SESSION lock_wait_timeout = 20');
    writer.#running = writer.#write();
    writer.#running.catch((error: unknown) => {
      writer.#failure = error;
    });
    return writer;
  }

  /** Waits until this many more changes are committed. */
  async wrote(more: number): Promise<void> {
    const wanted = this.written + more;
    const hasWritten = () => {
      if (this.#failure !== null) throw this.#failure;
      return this.written >= wanted;
    };
    await awaitUntil('the writer goes on', hasWritten, { timeoutMs: 20_000 });
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#running;
  }

  async #write(): Promise<void> {
    while (!this.#stopped) {
      const id = this.#random.int(1, KEYS);
      const { v, live } = this.#versions.get(id) ?? { v: 0, live: false };
      const isDelete = live && this.#random.chance(0.2);
      await again(this.#connection, async () => {
        await this.#connection.query('BEGIN');
        await this.#connection.query('INSERT INTO ops (id, v, live) VALUES (?, ?, ?)', [id, v + 1, isDelete ? 0 : 1]);
        if (isDelete) await this.#connection.query('DELETE FROM t WHERE id = ?', [id]);
        else if (live)
          await this.#connection.query('UPDATE t SET v = ?, note = ? WHERE id = ?', [v + 1, `is ${v + 1}`, id]);
        else await this.#connection.query('INSERT INTO t (id, v, note) VALUES (?, ?, ?)', [id, v + 1, `new ${v + 1}`]);
        await this.#connection.query('COMMIT');
      });
      this.#versions.set(id, { v: v + 1, live: !isDelete });
      this.written += 1;
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stopped = true;
    this.#connection.destroy();
    await this.#running.catch(() => undefined);
  }
}

/** Adds a column as gh-ost does: statements of its own log, shadow table, chunks, atomic cut-over behind a sentry table. */
export async function runGhost(database: MysqlDatabase, writer: MigratedWriter): Promise<void> {
  const { name } = database;
  await using applier = await opened(database);
  await using locker = await opened(database);
  await using renamer = await opened(database);
  await applier.query(`drop /* gh-ost */ table if exists \`${name}\`.\`_t_gho\``);
  await applier.query(`drop /* gh-ost */ table if exists \`${name}\`.\`_t_ghc\``);
  await applier.query(`create /* gh-ost */ table \`${name}\`.\`_t_ghc\` (
    id bigint unsigned auto_increment, last_update timestamp not null DEFAULT CURRENT_TIMESTAMP ON UPDATE CURRENT_TIMESTAMP,
    hint varchar(64) charset ascii not null, value varchar(4096) charset ascii not null,
    primary key(id), unique key hint_uidx(hint)) auto_increment=256`);
  await applier.query(`create /* gh-ost */ table \`${name}\`.\`_t_gho\` like \`${name}\`.\`t\``);
  await applier.query(`alter /* gh-ost */ table \`${name}\`.\`_t_gho\` ADD COLUMN added int NOT NULL DEFAULT 7`);
  const tell = (hint: string, value: string) =>
    applier.query(
      `insert /* gh-ost */ into \`${name}\`.\`_t_ghc\` (id, hint, value) values (NULLIF(?, 0), ?, ?)
         on duplicate key update last_update=NOW(), value=VALUES(value)`,
      [0, hint, value],
    );
  await tell('state', 'GhostTableMigrated');
  const applyAll = async (changes: readonly { id: number; v: number; live: number }[]) => {
    await applier.query('start /* gh-ost */ transaction');
    for (const { id, v, live } of changes) {
      if (live === 0) await applier.query(`delete /* gh-ost */ from \`${name}\`.\`_t_gho\` where ((\`id\` = ?))`, [id]);
      else {
        await applier.query(`replace /* gh-ost */ into \`${name}\`.\`_t_gho\` (id, v, note) values (?, ?, ?)`, [
          id,
          v,
          'applied',
        ]);
      }
    }
    await applier.query('commit');
  };
  let applied = 0;
  const apply = async () => {
    const [rows] = await applier.query('SELECT seq, id, v, live FROM ops WHERE seq > ? ORDER BY seq LIMIT 50', [
      applied,
    ]);
    const changes = rows as { seq: number; id: number; v: number; live: number }[];
    if (changes.length === 0) return false;
    await again(applier, () => applyAll(changes));
    applied = changes.at(-1)!.seq;
    return true;
  };
  for (let from = 0; from < KEYS; from += CHUNK) {
    await tell('heartbeat', new Date().toISOString());
    await again(applier, () =>
      applier.query(
        `insert /* gh-ost \`${name}\`.\`t\` */ ignore into \`${name}\`.\`_t_gho\` (\`id\`, \`v\`, \`note\`)
         (select \`id\`, \`v\`, \`note\` from \`${name}\`.\`t\` force index (\`PRIMARY\`)
           where (((\`id\` > ?)) and ((\`id\` < ?) or ((\`id\` = ?)))) lock in share mode)`,
        [from, from + CHUNK, from + CHUNK],
      ),
    );
    await apply();
    await writer.wrote(10);
  }
  await tell('state', 'AllEventsUpToLockProcessed');
  // Its name is behind `t`, as that of gh-ost (`_t_del`) is not: locks are taken in the order of names, so that the rename
  // waits for the lock of `t` itself, and no write that waits too comes before it and is lost with the old table.
  await locker.query(`create /* gh-ost */ table \`${name}\`.\`t_del\` (id int auto_increment primary key)
    engine=InnoDB comment='ghost-cut-over-sentry'`);
  await locker.query(`lock /* gh-ost */ tables \`${name}\`.\`t\` write, \`${name}\`.\`t_del\` write`);
  while (await apply()) {
    // Everything that was committed before the lock.
  }
  const [[{ id }]] = (await renamer.query('SELECT CONNECTION_ID() AS id')) as unknown as [[{ id: number }]];
  const renamed = renamer.query(
    `rename /* gh-ost */ table \`${name}\`.\`t\` to \`${name}\`.\`t_del\`, \`${name}\`.\`_t_gho\` to \`${name}\`.\`t\``,
  );
  await awaitUntil('the rename waits for the lock', async () => {
    const rows = await database.query<{ state: string }>(
      'SELECT state FROM information_schema.processlist WHERE id = ?',
      [id],
    );
    return /waiting for table metadata lock/i.test(rows[0]?.state ?? '');
  });
  await locker.query(`drop /* gh-ost */ table if exists \`${name}\`.\`t_del\``);
  await locker.query('unlock tables');
  await renamed;
  await applier.query(`drop /* gh-ost */ table if exists \`${name}\`.\`_t_ghc\``);
  await applier.query(`drop /* gh-ost */ table if exists \`${name}\`.\`t_del\``);
}

/** Adds a column as pt-online-schema-change does: new table, triggers, nibbles, swap, drop. */
export async function runPtOnlineSchemaChange(database: MysqlDatabase, writer: MigratedWriter): Promise<void> {
  const { name } = database;
  await using tool = await opened(database);
  const run = (sql: string) => tool.query(sql);
  await run('SET SESSION innodb_lock_wait_timeout = 10, lock_wait_timeout = 60, sql_quote_show_create = 1');
  const [[shown]] = (await tool.query('SHOW CREATE TABLE t')) as unknown as [[Record<string, string>]];
  await run(shown!['Create Table']!.replace('CREATE TABLE `t`', `CREATE TABLE \`${name}\`.\`_t_new\``));
  await run(`ALTER TABLE \`${name}\`.\`_t_new\` ADD COLUMN added int NOT NULL DEFAULT 7`);
  const ignoresAbsence = 'DECLARE CONTINUE HANDLER FOR 1146 begin end;';
  const values = '(`id`, `v`, `note`) VALUES (NEW.`id`, NEW.`v`, NEW.`note`)';
  await run(`CREATE TRIGGER \`pt_osc_${name}_t_del\` AFTER DELETE ON \`${name}\`.\`t\` FOR EACH ROW BEGIN ${ignoresAbsence}
    DELETE IGNORE FROM \`${name}\`.\`_t_new\` WHERE \`${name}\`.\`_t_new\`.\`id\` <=> OLD.\`id\`; END`);
  await run(`CREATE TRIGGER \`pt_osc_${name}_t_upd\` AFTER UPDATE ON \`${name}\`.\`t\` FOR EACH ROW BEGIN ${ignoresAbsence}
    DELETE IGNORE FROM \`${name}\`.\`_t_new\` WHERE !(OLD.\`id\` <=> NEW.\`id\`) AND \`${name}\`.\`_t_new\`.\`id\` <=> OLD.\`id\`;
    REPLACE INTO \`${name}\`.\`_t_new\` ${values}; END`);
  await run(`CREATE TRIGGER \`pt_osc_${name}_t_ins\` AFTER INSERT ON \`${name}\`.\`t\` FOR EACH ROW BEGIN ${ignoresAbsence}
    REPLACE INTO \`${name}\`.\`_t_new\` ${values}; END`);
  for (let from = 0; from < KEYS; from += CHUNK) {
    const nibble = `INSERT LOW_PRIORITY IGNORE INTO \`${name}\`.\`_t_new\` (\`id\`, \`v\`, \`note\`)
      SELECT \`id\`, \`v\`, \`note\` FROM \`${name}\`.\`t\` FORCE INDEX(\`PRIMARY\`)
       WHERE ((\`id\` >= '${from + 1}')) AND ((\`id\` <= '${from + CHUNK}')) LOCK IN SHARE MODE
      /*pt-online-schema-change 4711 copy nibble*/`;
    await again(tool, () => run(nibble));
    await writer.wrote(10);
  }
  await run(`ANALYZE TABLE \`${name}\`.\`_t_new\` /* pt-online-schema-change */`);
  await run(`RENAME TABLE \`${name}\`.\`t\` TO \`${name}\`.\`_t_old\`, \`${name}\`.\`_t_new\` TO \`${name}\`.\`t\``);
  await run(`DROP TABLE IF EXISTS \`${name}\`.\`_t_old\``);
  for (const kind of ['del', 'upd', 'ins'])
    await run(`DROP TRIGGER IF EXISTS \`${name}\`.\`pt_osc_${name}_t_${kind}\``);
}

/** Does a transaction, over again where its locks were in the way of another. */
async function again(connection: mysql.Connection, transact: () => Promise<unknown>): Promise<void> {
  for (;;) {
    try {
      await transact();
      return;
    } catch (error) {
      if (!TRY_AGAIN.has((error as { errno?: number }).errno ?? 0)) throw error;
      await connection.query('ROLLBACK');
    }
  }
}

async function opened(database: MysqlDatabase) {
  const connection = await database.connect();
  return Object.assign(connection, { [Symbol.asyncDispose]: async () => connection.destroy() });
}
