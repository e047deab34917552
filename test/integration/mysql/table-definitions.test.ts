import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { readCatalogTable } from '../../../connectors/mysql/catalog.ts';
import type { CatalogTable } from '../../../connectors/mysql/catalog-column.ts';
import { SqlConnection } from '../../../connectors/mysql/connection.ts';
import { declarationContextOf } from '../../../connectors/mysql/declared-type.ts';
import { alterTable } from '../../../connectors/mysql/table-alteration.ts';
import { changeIndex, readCreateTable } from '../../../connectors/mysql/table-creation.ts';
import { Secret } from '../../../src/core/secret.ts';
import { createMysqlDatabase, type MysqlDatabase } from '../../support/mysql-database.ts';
import { type ServerFeatures, testedServers } from '../../support/server-features.ts';
import { SeededRandom } from '../../support/workload-random.ts';

/** Tables that are plain enough to be known from their text alone. */
const CREATES: readonly string[] = [
  `(id int PRIMARY KEY, v int, big longblob, note varchar(20) NOT NULL DEFAULT 'n')`,
  `(id bigint(20) unsigned NOT NULL auto_increment, a tinyint, b smallint unsigned, c mediumint zerofill, d integer(7),
    PRIMARY KEY (id), KEY k (a, b), UNIQUE KEY u (b, c)) ENGINE=InnoDB DEFAULT CHARSET=latin1`,
  `(f float, g double precision, h float(7,3), i decimal, j decimal(9), k numeric(12,4) unsigned DEFAULT 1.5 NOT NULL,
    l double DEFAULT -0.25, m bit, n bit(12), o bool DEFAULT true, p year)`,
  `(a char, b char(3) CHARACTER SET ascii NOT NULL, c varchar(9) COLLATE utf8_bin, d tinytext, e text CHARSET utf8mb4,
    f mediumtext, g longtext, h binary(4), i varbinary(6), j tinyblob, k blob, l mediumblob) COLLATE latin1_bin`,
  `(a date DEFAULT '2020-02-29', b datetime DEFAULT '2021-01-02 03:04:05', c datetime(3), d time(6), e timestamp(2) NULL,
    f datetime DEFAULT CURRENT_TIMESTAMP ON UPDATE CURRENT_TIMESTAMP, g timestamp NOT NULL DEFAULT now(), h time)`,
  `(a enum('x','it''s','Z') DEFAULT 'Z', b set('one','two') NOT NULL, c geometry, d point NOT NULL,
    x int COMMENT 'a comment, with ( and ''', UNIQUE (x), UNIQUE (x, a))`,
  `(a int NOT NULL, b varchar(30) NOT NULL, c int, UNIQUE z (a), UNIQUE y (b(5)), UNIQUE x (c), UNIQUE w (b))`,
  `(a int UNIQUE KEY, b int NOT NULL UNIQUE, c int NOT NULL DEFAULT 0, CONSTRAINT p PRIMARY KEY (c, b)) CHARACTER SET utf8`,
  `(id bigint unsigned auto_increment, a int, primary key(id), unique key u (a)) auto_increment=256`,
  `(id int auto_increment, a int, unique key u (id))`,
];

/** From the first of the tables above on; each statement is run on what the ones before it left. */
const ALTERS: readonly string[] = [
  'ADD COLUMN x_1 int DEFAULT 5',
  "ADD y varchar(10) CHARACTER SET latin1 NOT NULL DEFAULT 'it''s' AFTER v, ADD COLUMN (z1 int, z2 decimal(8,2) DEFAULT 3)",
  'DROP COLUMN z1, DROP z2',
  'ADD COLUMN f bigint unsigned NOT NULL FIRST',
  'MODIFY COLUMN v bigint NOT NULL AFTER id',
  'CHANGE y yy text',
  "CHANGE COLUMN yy yy mediumtext AFTER note, ENGINE=InnoDB, COMMENT = 'new, comment'",
  'ALTER COLUMN v SET DEFAULT 17',
  "ALTER v DROP DEFAULT, ALTER note SET DEFAULT 'm'",
  'ADD UNIQUE INDEX u1 (v), ADD INDEX i1 (x_1)',
  'ADD UNIQUE (x_1, v), ADD CONSTRAINT cu UNIQUE KEY (note(4))',
  'DROP INDEX i1, DROP KEY u1',
  'DROP PRIMARY KEY',
  'ADD CONSTRAINT PRIMARY KEY (v, note)',
  'CHANGE v w bigint NOT NULL',
  'DROP PRIMARY KEY, ADD PRIMARY KEY (w)',
  'DROP INDEX cu',
  'DROP COLUMN note',
  'DEFAULT CHARACTER SET = cp1251',
  "ADD t1 varchar(5), ADD t2 varchar(5) CHARSET utf8mb4, ADD e enum('a','b') DEFAULT 'b'",
  "MODIFY x_1 smallint unsigned DEFAULT 8 COMMENT 'now small'",
  'ADD c1 datetime(3) DEFAULT CURRENT_TIMESTAMP(3) ON UPDATE CURRENT_TIMESTAMP(3)',
  'FORCE',
  'ADD KEY (t1), ADD FULLTEXT KEY ft (t2), ADD COLUMN last_one int NOT NULL',
  'DROP COLUMN last_one, ADD COLUMN last_one varchar(3) AFTER f, AUTO_INCREMENT = 7',
];

/** What is not plain: the reader has to give up, or be right. */
const STRANGE: readonly string[] = [
  'CONVERT TO CHARACTER SET utf8',
  "ADD s1 varchar(5) DEFAULT 'a\\\\b'",
  'ADD s2 timestamp',
  'ADD s3 timestamp NOT NULL',
  'ADD s4 float(20)',
  'ADD s5 text(200)',
  'ADD s6 char(4) CHARACTER SET binary',
  'ADD s7 double DEFAULT 1e3',
  "ADD s8 int DEFAULT '12.6'",
  "ADD s9 bit(4) DEFAULT b'0101'",
  'ADD s10 serial',
  'ADD s11 varchar(8) BINARY',
  "ADD s12 date DEFAULT '2020-1-2'",
  "ADD s13 enum('a ','b')",
  'ADD s14 nchar(3)',
  'ADD /*!50001 s15 int, ADD */ s16 int',
  'ADD s17 decimal(5,2) DEFAULT 1.005',
  'ADD s18 blob(70000)',
  'ADD s19 int(3) DEFAULT 007',
  'ADD s25 smallint zerofill DEFAULT 8',
  'ADD s26 int UNIQUE',
  'DROP COLUMN s26, ADD COLUMN s26 int',
  'ADD s20 int, RENAME TO t',
  'ADD s21 int, ADD s22 int AFTER s21, MODIFY s21 int FIRST',
  'CHANGE s21 s22 int, CHANGE s22 s21 int',
  'ADD s23 int, DROP COLUMN s21',
  'MODIFY s22 int PRIMARY KEY',
  'ADD s24 int PARTITION BY HASH (s22)',
  'ADD PARTITION PARTITIONS 2',
];

for (const features of await testedServers()) {
  describe(`${features.label}: what a statement says is what the catalog says after it`, () => {
    it('CREATE TABLE', async () => {
      await using lab = await Lab.open(features);
      for (const [index, body] of CREATES.entries()) {
        const text = `CREATE TABLE c${index} ${body}`;
        await lab.database.query(text);
        const read = readCreateTable(text, lab.database.name, 0, { ...lab.context, defaultCharset: 'utf8mb4' });
        assert.ok(read?.kind === 'table', text);
        assert.deepEqual(read.table, await lab.catalog(`c${index}`), text);
      }
    });

    it('ALTER TABLE', async () => {
      await using lab = await Lab.open(features);
      let before = await lab.create(`CREATE TABLE t ${CREATES[0]}`);
      const renames = features.canRenameColumns ? ['RENAME COLUMN w TO w2, RENAME INDEX x_1 TO cu2'] : [];
      for (const clauses of [...ALTERS, ...renames]) {
        const text = `ALTER TABLE t ${clauses}`;
        await lab.database.query(text);
        const read = alterTable(before, text, 0, lab.context);
        const catalog = await lab.catalog('t');
        assert.deepEqual(read, catalog, text);
        before = catalog;
      }
    });

    it('indexes', async () => {
      await using lab = await Lab.open(features);
      let before = await lab.create('CREATE TABLE t (a int NOT NULL, b varchar(20) NOT NULL, c int)');
      for (const text of [
        'CREATE UNIQUE INDEX u ON t (b(3))',
        'CREATE INDEX i ON t (c)',
        'CREATE UNIQUE INDEX `a` USING BTREE ON t (a, b DESC)',
        'DROP INDEX u ON t',
        'DROP INDEX i ON t',
        'DROP INDEX `a` ON t',
      ]) {
        await lab.database.query(text);
        const catalog = await lab.catalog('t');
        assert.deepEqual(changeIndex(before, text, 0, lab.context), catalog, text);
        before = catalog;
      }
    });

    it('what is strange is left to the catalog, or read rightly', async () => {
      await using lab = await Lab.open(features);
      let before = await lab.create('CREATE TABLE t (id int, n int)');
      let ran = 0;
      let given = 0;
      for (const clauses of STRANGE) {
        const text = `ALTER TABLE t ${clauses}`;
        // Not every server has all of them.
        if (!(await lab.tries(text))) continue;
        ran += 1;
        const read = alterTable(before, text, 0, lab.context);
        const catalog = await lab.catalog('t');
        if (read !== null) assert.deepEqual(read, catalog, text);
        else given += 1;
        before = catalog;
      }
      assert.ok(ran >= 15 && given >= 8, `${ran} ran, ${given} were given up`);
    });

    it('hundreds of random statements', { timeout: 360_000 }, async () => {
      await using lab = await Lab.open(features);
      const random = new SeededRandom(20_261_121);
      let before = await lab.create('CREATE TABLE t (id int PRIMARY KEY, c1 int, c2 varchar(10), c3 datetime)');
      let read = 0;
      for (let round = 0; round < 400; round++) {
        const text = `ALTER TABLE t ${Array.from({ length: random.int(1, 3) }, () => randomClause(random)).join(', ')}`;
        if (!(await lab.tries(text))) continue;
        const catalog = await lab.catalog('t');
        const told = alterTable(before, text, 0, lab.context);
        if (told !== null) {
          assert.deepEqual(told, catalog, text);
          read += 1;
        }
        before = catalog;
      }
      assert.ok(read >= 30, `${read} statements were read`);
    });
  });
}

function randomClause(random: SeededRandom): string {
  const column = () => `c${random.int(1, 8)}`;
  const type = () =>
    random.pick([
      'int',
      'bigint unsigned NOT NULL',
      'decimal(7,2) DEFAULT 1.5',
      'varchar(12) NOT NULL',
      "varchar(7) CHARACTER SET latin1 DEFAULT 'x'",
      "enum('a','b')",
      'datetime(2)',
      'text',
    ]);
  const place = () => random.pick(['', '', ' FIRST', ` AFTER ${column()}`]);
  switch (random.int(0, 8)) {
    case 0:
    case 1:
    case 2:
      return `ADD COLUMN ${column()} ${type()}${place()}`;
    case 3:
    case 4:
      return `DROP COLUMN ${column()}`;
    case 5:
      return `MODIFY ${column()} ${type()}${place()}`;
    case 6:
      return `CHANGE ${column()} ${column()} ${type()}${place()}`;
    case 7:
      return random.pick(['DROP PRIMARY KEY', `ADD PRIMARY KEY (${column()})`, `ADD PRIMARY KEY (id, ${column()})`]);
    default:
      return random.pick([`ADD UNIQUE (${column()}(3))`, `ADD UNIQUE (${column()})`, `DROP INDEX ${column()}`]);
  }
}

/** A database with what reads its catalog. */
class Lab implements AsyncDisposable {
  readonly database: MysqlDatabase;
  readonly context: ReturnType<typeof declarationContextOf>;
  readonly #sql: SqlConnection;

  private constructor(database: MysqlDatabase, sql: SqlConnection, version: string) {
    this.database = database;
    this.context = declarationContextOf(database.server, version);
    this.#sql = sql;
  }

  static async open({ server }: ServerFeatures): Promise<Lab> {
    const database = await createMysqlDatabase(server);
    const [row] = await database.query<{ version: string }>('SELECT VERSION() AS version');
    const url = new URL(database.url);
    const sql = new SqlConnection({
      host: url.hostname,
      port: Number(url.port),
      user: url.username,
      password: new Secret(url.password),
      database: null,
      tls: { mode: 'prefer', ca: null, cert: null, key: null },
      connectTimeoutMs: 5_000,
      queryTimeoutMs: 10_000,
    });
    return new Lab(database, sql, row!.version);
  }

  async create(text: string): Promise<CatalogTable> {
    await this.database.query(text);
    return this.catalog('t');
  }

  async tries(text: string): Promise<boolean> {
    try {
      await this.database.query(text);
      return true;
    } catch (error) {
      if (typeof (error as { errno?: unknown }).errno === 'number') return false;
      throw error;
    }
  }

  async catalog(table: string): Promise<CatalogTable> {
    const found = await readCatalogTable(this.#sql, this.database.name, table, AbortSignal.timeout(30_000));
    assert.ok(found);
    return found;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#sql[Symbol.asyncDispose]();
    await this.database[Symbol.asyncDispose]();
  }
}
