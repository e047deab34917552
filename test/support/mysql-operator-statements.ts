import type { ServerFeatures } from './server-features.ts';

/**
 * What operators do to a server that has a captured table `t` (id, v, note), and what changes no row of it: accounts,
 * maintenance, programs, views, other tables. To be run in order on one connection, in the database of `t`; everything that
 * is made is dropped again but for what lies in that database.
 * @param tag for names that the server has only once
 */
export function operatorStatements(features: ServerFeatures, database: string, tag: string): string[] {
  const own = features.server === 'mysql' ? mysqlStatements(features, tag) : mariadbStatements();
  return [
    ...accounts(features, tag),
    ...maintenance(),
    ...programs(),
    ...tables(),
    ...partitions(),
    ...oddNames(),
    ...modes(),
    ...databases(database, tag),
    ...own,
  ];
}

function accounts(features: ServerFeatures, tag: string): string[] {
  const { hasRoles, canAlterPasswords, takesPlainPasswords } = features;
  return [
    `CREATE USER '${tag}'@'%' IDENTIFIED BY 'it''s "t"; DROP TABLE t'`,
    ...(hasRoles ? [`CREATE ROLE '${tag}_role'`] : []),
    `GRANT SELECT, INSERT (v), UPDATE ON t TO '${tag}'@'%'`,
    ...(hasRoles ? [`GRANT '${tag}_role' TO '${tag}'@'%'`] : []),
    `ALTER USER '${tag}'@'%' ${canAlterPasswords ? "IDENTIFIED BY 'ALTER TABLE t'" : 'PASSWORD EXPIRE'}`,
    `RENAME USER '${tag}'@'%' TO '${tag}_b'@'%'`,
    `REVOKE UPDATE ON t FROM '${tag}_b'@'%'`,
    `SET PASSWORD FOR '${tag}_b'@'%' = ${takesPlainPasswords ? "'x'" : "PASSWORD('x')"}`,
    `DROP USER '${tag}_b'@'%'`,
    ...(hasRoles ? [`DROP ROLE '${tag}_role'`] : []),
  ];
}

function maintenance(): string[] {
  return [
    'ANALYZE TABLE t',
    'OPTIMIZE TABLE t',
    'CHECK TABLE t',
    'REPAIR TABLE t',
    'FLUSH TABLES',
    'FLUSH TABLES t',
    'FLUSH TABLES t WITH READ LOCK',
    'UNLOCK TABLES',
    'FLUSH PRIVILEGES',
    'FLUSH STATUS',
    'FLUSH LOGS',
    'FLUSH BINARY LOGS',
    'LOCK TABLES t WRITE',
    'UNLOCK TABLES',
    'SAVEPOINT s',
    'START TRANSACTION',
    'SAVEPOINT `t`',
    'ROLLBACK TO SAVEPOINT `t`',
    'RELEASE SAVEPOINT `t`',
    'ROLLBACK',
  ];
}

/** Bodies name the table, and say things about it in comments and texts. */
function programs(): string[] {
  return [
    'CREATE TABLE other (id int AUTO_INCREMENT PRIMARY KEY, v int, note varchar(200))',
    `CREATE PROCEDURE \`ALTER TABLE t\` () COMMENT 'DROP TABLE t'
       BEGIN
         /* ALTER TABLE t DROP COLUMN v; */ -- RENAME TABLE t TO u
         # TRUNCATE t
         IF FALSE THEN TRUNCATE TABLE t; ALTER TABLE t DROP COLUMN note; END IF;
         INSERT INTO other (note) VALUES ('COMMIT; DROP TABLE t; --'), ("RENAME TABLE t TO u");
       END`,
    'CALL `ALTER TABLE t` ()',
    "ALTER PROCEDURE `ALTER TABLE t` COMMENT 'RENAME TABLE t TO u'",
    'DROP PROCEDURE `ALTER TABLE t`',
    'CREATE FUNCTION truncate_t () RETURNS int DETERMINISTIC READS SQL DATA RETURN (SELECT COUNT(*) FROM t)',
    'SELECT truncate_t()',
    'DROP FUNCTION IF EXISTS truncate_t',
    `CREATE DEFINER = CURRENT_USER TRIGGER \`rename table t to u\` BEFORE INSERT ON other FOR EACH ROW
       BEGIN SET NEW.note = CONCAT(NEW.note, ' /* ALTER TABLE t */'); END`,
    "INSERT INTO other (note) VALUES ('fires a trigger')",
    'DROP TRIGGER `rename table t to u`',
    'CREATE EVENT truncate_t ON SCHEDULE EVERY 1 YEAR STARTS CURRENT_TIMESTAMP + INTERVAL 1 YEAR DO TRUNCATE TABLE t',
    "ALTER EVENT truncate_t DISABLE COMMENT 'DROP TABLE t'",
    'DROP EVENT truncate_t',
    "CREATE OR REPLACE ALGORITHM = MERGE SQL SECURITY INVOKER VIEW v AS SELECT id, 'ALTER TABLE t' AS x FROM t",
    'ALTER VIEW v AS SELECT 1 AS `TRUNCATE TABLE t`',
    'DROP VIEW IF EXISTS v',
  ];
}

function tables(): string[] {
  return [
    // A temporary table hides the captured one from its connection.
    'CREATE TEMPORARY TABLE t (x int)',
    'INSERT INTO t VALUES (1), (2)',
    'ALTER TABLE t ADD COLUMN y int',
    'TRUNCATE TABLE t',
    'DROP TABLE t',
    'CREATE TEMPORARY TABLE IF NOT EXISTS t SELECT 1 AS x',
    'DROP TEMPORARY TABLE IF EXISTS t, nothing',
    'CREATE TABLE selected SELECT * FROM t',
    'CREATE TABLE alike LIKE t',
    'INSERT INTO alike SELECT * FROM t',
    'ALTER TABLE alike RENAME TO `alike too`, ADD COLUMN `rename to t` int, ALGORITHM = INPLACE',
    'RENAME TABLE `alike too` TO swap, selected TO `alike too`, swap TO selected',
    'CREATE UNIQUE INDEX `on t` ON other (v)',
    'DROP INDEX `on t` ON other',
    'CREATE FULLTEXT INDEX f ON other (note)',
    "ALTER TABLE other ADD CONSTRAINT c CHECK (v < 1000 OR note <> 'DROP TABLE t')",
    "ALTER TABLE other COMMENT = 'RENAME TO t', ALTER COLUMN v SET DEFAULT 5",
    'ALTER TABLE other ADD COLUMN refers int, ADD FOREIGN KEY (refers) REFERENCES t (id)',
    'TRUNCATE TABLE selected',
    'DROP TABLE IF EXISTS selected, `alike too`, nothing',
    "/*!50001 CREATE TABLE `comment`*/ /*!50001 (id int) ENGINE=InnoDB COMMENT 't' */",
    '/* ALTER TABLE t */ ALTER /* TABLE t */ TABLE /*!40000 comment */ /*!99999 RENAME TO t */ ADD x int',
    'DROP /*!40005 TEMPORARY */ TABLE IF EXISTS `comment`',
    '-- RENAME TABLE t TO u\nDROP TABLE `comment`',
    '# TRUNCATE t\n/*!40000 ALTER TABLE other DISABLE KEYS */',
  ];
}

function partitions(): string[] {
  return [
    `CREATE TABLE parted (id int NOT NULL, v int) PARTITION BY RANGE (id)
       (PARTITION p0 VALUES LESS THAN (10), PARTITION t VALUES LESS THAN (20), PARTITION p2 VALUES LESS THAN MAXVALUE)`,
    'INSERT INTO parted VALUES (1, 1), (15, 2), (50, 3)',
    'ALTER TABLE parted REORGANIZE PARTITION p2 INTO (PARTITION p2 VALUES LESS THAN (30), PARTITION p3 VALUES LESS THAN MAXVALUE)',
    'ALTER TABLE parted TRUNCATE PARTITION t',
    'ALTER TABLE parted ANALYZE PARTITION p0',
    'ALTER TABLE parted REBUILD PARTITION p0, p2',
    'CREATE TABLE outside (id int NOT NULL, v int)',
    'ALTER TABLE parted EXCHANGE PARTITION p0 WITH TABLE outside',
    'ALTER TABLE parted DROP PARTITION t',
    'ALTER TABLE parted REMOVE PARTITIONING',
    'DROP TABLE parted, outside',
  ];
}

function oddNames(): string[] {
  const names = [
    'a``b',
    'dots.in.name',
    '"quoted"',
    "it's",
    'ünï 漢字',
    't; DROP TABLE t',
    '-- t',
    '/* t */',
    '#t',
    'select',
    '1t',
    'T',
    ' t',
    'back\\slash',
  ].map((name) => `\`${name}\``);
  return names.flatMap((name) => [
    `CREATE TABLE ${name} (\`id,)\` int PRIMARY KEY, \`t\` int COMMENT ') RENAME TO t')`,
    `INSERT INTO ${name} VALUES (1, 1)`,
    `ALTER TABLE ${name} ADD COLUMN \`RENAME TO t\` int`,
    `RENAME TABLE ${name} TO \`renamed ; t\`, \`renamed ; t\` TO ${name}`,
    `DROP TABLE ${name}`,
  ]);
}

function modes(): string[] {
  return [
    "SET SESSION sql_mode = 'ANSI_QUOTES'",
    `CREATE TABLE "ansi ""t"" \\" ("id" int PRIMARY KEY, "t" varchar(30) DEFAULT 'RENAME TO t')`,
    `ALTER TABLE "ansi ""t"" \\" ADD COLUMN "v" int, COMMENT 'say "t"'`,
    `CREATE VIEW "v" AS SELECT "id" AS "DROP TABLE t" FROM "t"`,
    'DROP VIEW "v"',
    `DROP TABLE "ansi ""t"" \\"`,
    "SET SESSION sql_mode = 'NO_BACKSLASH_ESCAPES'",
    "ALTER TABLE other COMMENT 'ends with \\', ALTER COLUMN note SET DEFAULT '\\'",
    "SET SESSION sql_mode = 'PIPES_AS_CONCAT,IGNORE_SPACE,NO_AUTO_VALUE_ON_ZERO,HIGH_NOT_PRECEDENCE'",
    'ALTER TABLE other ALTER COLUMN v SET DEFAULT 6',
    'SET NAMES latin1',
    "ALTER TABLE other COMMENT 'in latin1: ü'",
    'SET NAMES sjis',
    "ALTER TABLE other COMMENT 'in sjis'",
    'SET NAMES utf8mb4',
    "SET SESSION sql_mode = DEFAULT, time_zone = '+05:30'",
    'ALTER TABLE other ADD COLUMN at timestamp NULL DEFAULT CURRENT_TIMESTAMP',
  ];
}

function databases(database: string, tag: string): string[] {
  return [
    `ALTER DATABASE ${database} CHARACTER SET latin1`,
    `ALTER DATABASE ${database} CHARACTER SET utf8mb4`,
    `CREATE DATABASE IF NOT EXISTS \`${tag}.t\` CHARACTER SET latin1`,
    `CREATE TABLE \`${tag}.t\`.t (id int PRIMARY KEY)`,
    `INSERT INTO \`${tag}.t\`.t VALUES (1)`,
    `ALTER TABLE \`${tag}.t\`.t RENAME TO \`${tag}.t\`.u`,
    `USE \`${tag}.t\``,
    'CREATE TABLE t (id int)',
    'TRUNCATE TABLE t',
    'DROP TABLE t',
    `USE ${database}`,
    `DROP DATABASE \`${tag}.t\``,
  ];
}

function mysqlStatements({ hasMysql8 }: ServerFeatures, tag: string): string[] {
  return [
    `CREATE SERVER ${tag} FOREIGN DATA WRAPPER mysql OPTIONS (HOST '127.0.0.1', DATABASE 't')`,
    `DROP SERVER ${tag}`,
    ...(hasMysql8 ? mysql8Statements(tag) : []),
  ];
}

function mysql8Statements(tag: string): string[] {
  return [
    `CREATE TABLESPACE ${tag} ADD DATAFILE '${tag}.ibd'`,
    `CREATE TABLE spaced (id int) TABLESPACE ${tag}`,
    'DROP TABLE spaced',
    `DROP TABLESPACE ${tag}`,
    `CREATE SPATIAL REFERENCE SYSTEM IF NOT EXISTS 4711000 NAME '${tag}' DEFINITION 'GEOGCS["x",DATUM["x",SPHEROID["x",6370000,0]],PRIMEM["Greenwich",0],UNIT["degree",0.017453292519943278],AXIS["Lon",EAST],AXIS["Lat",NORTH]]'`,
    'DROP SPATIAL REFERENCE SYSTEM 4711000',
    "CREATE TABLE attributed (id int) COMMENT 't'",
    'ALTER TABLE attributed ADD COLUMN hidden int INVISIBLE, ADD INDEX i ((id + 1)) INVISIBLE',
    'DROP TABLE attributed',
    'ANALYZE TABLE t UPDATE HISTOGRAM ON v WITH 4 BUCKETS',
    'ANALYZE TABLE t DROP HISTOGRAM ON v',
    'ALTER INSTANCE RELOAD TLS',
    'LOCK INSTANCE FOR BACKUP',
    'UNLOCK INSTANCE',
    'WITH x AS (SELECT 1 AS y) SELECT * FROM x',
    'TABLE t',
    'EXPLAIN ANALYZE SELECT * FROM t',
  ];
}

function mariadbStatements(): string[] {
  return [
    'CREATE SEQUENCE sequenced START WITH 5',
    'SELECT NEXTVAL(sequenced)',
    'ALTER SEQUENCE sequenced RESTART 50',
    'DROP SEQUENCE sequenced',
    'CREATE OR REPLACE TABLE other_t (id int) WITH SYSTEM VERSIONING',
    'INSERT INTO other_t VALUES (1)',
    'DELETE HISTORY FROM other_t',
    'CREATE OR REPLACE TABLE other_t SELECT * FROM t',
    'SET STATEMENT max_statement_time = 60 FOR ALTER TABLE other_t ADD COLUMN x int',
    'ALTER TABLE IF EXISTS other_t NOWAIT ADD COLUMN IF NOT EXISTS x int',
    'RENAME TABLE IF EXISTS other_t NOWAIT TO other_u',
    'DROP TABLE IF EXISTS other_u WAIT 5',
    'ANALYZE TABLE t PERSISTENT FOR ALL',
    'ANALYZE SELECT * FROM t',
    'BEGIN NOT ATOMIC DECLARE x int; SET x = 1; INSERT INTO other (note) VALUES (x); END',
    "EXECUTE IMMEDIATE 'CREATE TABLE immediate (id int)'",
    'DROP TABLE immediate',
    '/*M!100100 CREATE TABLE only_here (id int) */',
    'DROP TABLE only_here',
    "SET SESSION sql_mode = 'ORACLE'",
    'CREATE OR REPLACE PACKAGE pack AS PROCEDURE drop_t; END',
    `CREATE OR REPLACE PACKAGE BODY pack AS
       PROCEDURE drop_t AS BEGIN EXECUTE IMMEDIATE 'SELECT ''DROP TABLE t'''; END;
     END`,
    'DROP PACKAGE pack',
    'SET SESSION sql_mode = DEFAULT',
    'BACKUP STAGE START',
    'BACKUP STAGE END',
    'FLUSH TABLES t FOR EXPORT',
    'UNLOCK TABLES',
  ];
}
