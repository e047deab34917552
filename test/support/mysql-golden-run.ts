import mysql from 'mysql2/promise';
import { AvroDecoder, schemaId } from './avro-decoder.ts';
import { Daemon } from './daemon-process.ts';
import type { ReceivedRecord } from './golden-comparison.ts';
import { goldenConnectors, goldenSql } from './golden-topics.ts';
import { awaitTopicEnds, deleteTopicsNamed } from './kafka-topics.ts';
import type { MysqlServer } from './mysql-database.ts';
import type { ServerFeatures } from './server-features.ts';
import { mysqlUrl } from './services.ts';
import { listTopics, readTopics } from './topic-reader.ts';

export interface MysqlGoldenRun {
  /** Records by topic, in order. */
  readonly topics: ReadonlyMap<string, readonly ReceivedRecord[]>;
  /** What SIGTERM ended with. */
  readonly exit: number | NodeJS.Signals;
  /** Statements that an old server does not understand, and that were left out. */
  readonly leftOut: readonly string[];
}

/** ER_PARSE_ERROR and what older servers say where newer ones have types, functions and collations, and what follows from it. */
const NOT_UNDERSTOOD: ReadonlySet<number> = new Set([1064, 1115, 1273, 1305, 1067, 1101, 1294, 1146, 1054, 1051, 1193]);

/** Statements that are met one by one, with the reader caught up before and after: the catalog is read when they are. */
const DDL = /^(alter|create|drop|rename|truncate)\b/i;
/** What only Debezium, its snapshots and Kafka Connect know of. */
const LEFT_OUT = /^(schema\.history|name$|errors\.|driver\.|(key|value)\.converter|signal|notification|snapshot\.mode)/;

/** Does what was done when the goldens were made, with one daemon in the place of Debezium's connectors. */
export async function runMysqlGoldens(
  { server, understandsGoldens }: ServerFeatures,
  variants: readonly string[],
): Promise<MysqlGoldenRun> {
  const leftOut: string[] = [];
  const run = async (connection: mysql.Connection, statement: string) => {
    try {
      await connection.query(statement);
    } catch (error) {
      if (understandsGoldens || !NOT_UNDERSTOOD.has((error as { errno?: number }).errno ?? 0)) throw error;
      leftOut.push(statement);
    }
  };
  const url = new URL(mysqlUrl(server));
  const ours = async () =>
    (await listTopics('')).filter((topic) => variants.some((variant) => belongs(topic, variant)));
  await deleteTopicsNamed(await ours());
  const connection = await connect(server, understandsGoldens);
  try {
    for (const name of ['inv', 'inv2']) await connection.query(`DROP DATABASE IF EXISTS ${name}`);
    for (const statement of scriptOf('00-schema-and-snapshot-rows', server)) await run(connection, statement);
    await using daemon = await Daemon.create({ sources: variants.map((variant) => sourceOf(variant, server, url)) });
    await daemon.start().streaming(60_000);
    const caughtUp = () => awaitCaughtUp(connection, daemon, variants, server === 'mysql' && understandsGoldens);
    for (const statement of scriptOf('01-stream', server)) {
      if (DDL.test(statement)) await caughtUp();
      await run(connection, statement);
      if (DDL.test(statement)) await caughtUp();
    }
    // A session of its own: what the first one had set does not matter any more.
    const other = await connect(server, understandsGoldens);
    await other.query('USE inv');
    for (const statement of scriptOf('02-signal', server)) if (!/sleep/.test(statement)) await run(other, statement);
    await other.end();
    await awaitTopicEnds(new Map(variants.map((variant) => [`${variant}.inv.sentinel`, 1])), 60_000);
    const exit = await daemon.stop();
    return { topics: await received(await ours()), exit, leftOut };
  } finally {
    for (const name of ['inv', 'inv2']) await connection.query(`DROP DATABASE IF EXISTS ${name}`);
    await connection.end();
    await deleteTopicsNamed(await ours());
  }
}

function belongs(topic: string, variant: string): boolean {
  return topic === variant || topic.startsWith(`${variant}.`) || topic === `__debezium-heartbeat.${variant}`;
}

/** The collation that the connection had when the goldens were made is in one of the statements. */
function connect(server: MysqlServer, isNew: boolean): Promise<mysql.Connection> {
  const charset = server === 'mysql' && isNew ? 'UTF8MB4_0900_AI_CI' : 'UTF8MB4_GENERAL_CI';
  return mysql.createConnection({ uri: mysqlUrl(server), charset });
}

const TOKEN = /'(?:[^'\\]|''|\\.)*'|"(?:[^"\\]|\\.)*"|`[^`]*`|\/\*[\s\S]*?\*\/|-- [^\n]*|;|[^;'"`/-]+|[\s\S]/g;

/** The script's statements for this server; MySQL's client sent comments with them, MariaDB's did not. */
function scriptOf(name: Parameters<typeof goldenSql>[0], server: MysqlServer): string[] {
  const foreign = server === 'mysql' ? '/*MA*/' : '/*MY*/';
  const lines = goldenSql(name, server)
    .split('\n')
    .filter((line) => !line.includes(foreign));
  const statements: string[] = [];
  let current = '';
  for (const [token] of lines.join('\n').matchAll(TOKEN)) {
    if (token === ';') {
      statements.push(current.trim());
      current = '';
    } else if (!token.startsWith('-- ') && !(server === 'mariadb' && token.startsWith('/*'))) current += token;
  }
  return statements.filter((statement) => statement.replace(/\/\*M[AY]\*\//g, '').trim() !== '');
}

/** Debezium's configuration, nearly word for word. */
function sourceOf(variant: string, server: MysqlServer, url: URL): Record<string, unknown> {
  const properties = Object.entries(goldenConnectors(server)[variant] ?? {}).filter(([name]) => !LEFT_OUT.test(name));
  return {
    debezium: {
      ...Object.fromEntries(properties),
      'database.hostname': url.hostname,
      'database.port': url.port,
      'database.user': url.username,
      'database.password': url.password,
      'snapshot.mode': 'no_data',
      // Debezium's default.
      'extended.headers.enabled': 'true',
    },
  };
}

/** Every source has checkpointed the end of the server's log. */
async function awaitCaughtUp(
  connection: mysql.Connection,
  daemon: Daemon,
  variants: readonly string[],
  isNewName: boolean,
) {
  const [rows] = await connection.query(isNewName ? 'SHOW BINARY LOG STATUS' : 'SHOW MASTER STATUS');
  const { File, Position } = (rows as { File: string; Position: number }[])[0]!;
  for (const variant of variants) {
    const reached = async () => {
      const [, file, position] = /^(.*):(\d+);/.exec((await daemon.status(variant)).position ?? '') ?? [];
      return file === File && Number(position) >= Position;
    };
    await daemon.until(`${variant} reached ${File}:${Position}`, reached, 90_000);
  }
}

async function received(topics: readonly string[]): Promise<Map<string, ReceivedRecord[]>> {
  const decoder = new AvroDecoder();
  const texts = new Map<number, string>();
  const textOf = async (bytes: Buffer | null): Promise<string | null> => {
    if (bytes === null) return null;
    const id = schemaId(bytes);
    if (!texts.has(id)) texts.set(id, await decoder.schemaText(id));
    return texts.get(id)!;
  };
  const byTopic = new Map<string, ReceivedRecord[]>();
  for (const { topic, key, value, headers } of await readTopics(topics)) {
    const record = { key, value, headers, keySchema: await textOf(key), valueSchema: await textOf(value) };
    byTopic.set(topic, [...(byTopic.get(topic) ?? []), record]);
  }
  return byTopic;
}
