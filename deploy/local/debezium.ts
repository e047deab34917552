import { mkdir, readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { cached } from './cache.ts';
import { freePorts } from './free-ports.ts';
import { copyArtifact, copyJars, findJava } from './java.ts';
import { type ServiceProcess, startProcess, waitUntilReady } from './processes.ts';
import { runCommand } from './run-command.ts';
import type { Service, ServiceContext } from './service.ts';

const CONNECT_VERSION = '4.3.1';
const CONVERTER_VERSION = '2.6.13.Final';
/** The converter is on the class path: a plugin that does not say what it is would have every class of every jar looked at. */
const CONNECT_JARS = [
  `org.apache.kafka:connect-runtime:${CONNECT_VERSION}`,
  `org.apache.kafka:connect-json:${CONNECT_VERSION}`,
  'org.apache.logging.log4j:log4j-slf4j-impl:2.24.3',
  `io.apicurio:apicurio-registry-utils-converter:${CONVERTER_VERSION}`,
];
/** The newest whose plugin archives are on Maven Central. */
const DEBEZIUM_VERSIONS = { postgres: '3.7.0.Final', mysql: '3.6.1.Final', mariadb: '3.5.0.Final' } as const;

const LOGGING = `rootLogger.level=INFO
rootLogger.appenderRef.console.ref=STDOUT
appender.console.type=Console
appender.console.name=STDOUT
appender.console.layout.type=PatternLayout
appender.console.layout.pattern=[%d] %p %m (%c)%n
`;

export type DebeziumDatabase = keyof typeof DEBEZIUM_VERSIONS;

export interface DebeziumOptions {
  /** Bootstrap brokers. */
  readonly brokers: readonly string[];
  /**
   * `avro`: Apicurio's converter in Confluent's wire format, which looks each record's schema up by its text and is slow;
   * `json`: without schemas.
   */
  readonly converter: 'avro' | 'json';
  /** Base URL of the Confluent API of an Apicurio registry. */
  readonly registry: string;
}

export function debeziumVersion(database: DebeziumDatabase): string {
  return DEBEZIUM_VERSIONS[database];
}

/** Kafka Connect in standalone mode with one of Debezium's connectors; `url` is its REST API. */
export async function startDebezium(
  database: DebeziumDatabase,
  options: DebeziumOptions,
  context: ServiceContext,
): Promise<Service> {
  const { report, signal, runDirectory } = context;
  const java = await findJava(report, signal);
  const connect = await cached(
    `kafka-connect-${CONNECT_VERSION}-apicurio-${CONVERTER_VERSION}`,
    `downloading Kafka Connect ${CONNECT_VERSION} (68 MB)`,
    report,
    (draft) => copyJars(CONNECT_JARS, draft, report, signal),
  );
  const plugins = await connector(database, context);
  const name = `debezium-${database}`;
  const directory = join(runDirectory, name);
  await mkdir(directory);
  const [port] = await freePorts(1);
  const url = `http://127.0.0.1:${port}`;
  const logging = join(directory, 'log4j2.properties');
  await writeFile(logging, LOGGING);
  const worker = join(directory, 'worker.properties');
  const settings: Record<string, string> = {
    'bootstrap.servers': options.brokers.join(','),
    'offset.storage.file.filename': join(directory, 'offsets'),
    'offset.flush.interval.ms': '1000',
    listeners: url,
    'plugin.path': plugins,
    'plugin.discovery': 'service_load',
    'connector.client.config.override.policy': 'All',
    ...converterSettings(options),
  };
  const lines = Object.entries(settings).map(([key, value]) => `${key}=${value}\n`);
  await writeFile(worker, lines.join(''));
  let running: ServiceProcess;
  const start = async () => {
    running = startProcess({
      name,
      command: java,
      args: [
        ...['-Xmx1g', `-Dlog4j2.configurationFile=${logging}`, '-cp', join(connect, 'libs', '*')],
        ...['org.apache.kafka.connect.cli.ConnectStandalone', worker],
      ],
      cwd: directory,
      ...context,
      stopSteps: [{ signal: 'SIGTERM', waitMs: 10_000 }],
    });
    await waitUntilReady(running, () => answers(url), { timeoutMs: 180_000, signal });
  };
  await start();
  return { name, url, processes: () => [running], start, stop: () => running.stop() };
}

/** A directory with one plugin directory in it. */
async function connector(database: DebeziumDatabase, { report, signal }: ServiceContext): Promise<string> {
  const version = DEBEZIUM_VERSIONS[database];
  const name = `debezium-connector-${database}`;
  return cached(`${name}-${version}`, `downloading Debezium ${version} (18 to 31 MB)`, report, async (draft) => {
    const archives = join(draft, '.archives');
    await copyArtifact(`io.debezium:${name}:${version}:tar.gz:plugin`, archives, report, signal);
    for (const file of await readdir(archives)) {
      await runCommand('tar', ['-xzf', join(archives, file), '-C', draft], { timeoutMs: 120_000, signal });
    }
    await rm(archives, { recursive: true });
  });
}

/** Keys and values alike. */
function converterSettings({ converter, registry }: DebeziumOptions): Record<string, string> {
  const settings: Record<string, string> =
    converter === 'json'
      ? { converter: 'org.apache.kafka.connect.json.JsonConverter', 'converter.schemas.enable': 'false' }
      : {
          converter: 'io.apicurio.registry.utils.converter.AvroConverter',
          'converter.apicurio.registry.url': registry.replace(/\/ccompat\/v7$/, '/registry/v2'),
          'converter.apicurio.registry.auto-register': 'true',
          'converter.apicurio.registry.find-latest': 'false',
          'converter.apicurio.registry.as-confluent': 'true',
          'converter.apicurio.registry.use-id': 'contentId',
          'converter.apicurio.registry.headers.enabled': 'false',
          'converter.apicurio.registry.artifact-resolver-strategy':
            'io.apicurio.registry.serde.strategy.TopicIdStrategy',
        };
  return Object.fromEntries(
    ['key', 'value'].flatMap((part) => Object.entries(settings).map(([key, value]) => [`${part}.${key}`, value])),
  );
}

async function answers(url: string): Promise<boolean> {
  try {
    const response = await fetch(`${url}/connectors`, { signal: AbortSignal.timeout(2_000) });
    await response.body?.cancel();
    return response.ok;
  } catch {
    // Refused or too slow: not ready yet. The caller has the deadline and, if it ends, the log.
    return false;
  }
}
